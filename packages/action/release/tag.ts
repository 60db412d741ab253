/**
 * Tags a staged Action: `v1.2.3`, which never moves, and `v1`, which moves to the newest. Two commits on top of the last
 * release: the actions, then the workflow, which names them by the commit before. So whoever pins the workflow
 * to a commit has pinned all that runs.
 *
 * The same folder and version make the same commits, so it may be run again after any failure. It needs no packages.
 *
 * ```sh
 * node packages/action/release/tag.ts <folder of stage.ts> <version>
 * ```
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { repositoryName } from './repository.ts'

const WORKFLOW = '.github/workflows/sync.yml'
const VERSION = /^v?(\d+)\.(\d+)\.(\d+)$/

const [folder = '', version = ''] = process.argv.slice(2)
if (!VERSION.test(version)) throw new Error(`"${version}" is no version to tag. Give it as 1.2.3.`)
const tag = `v${version}`
const majorTag = tag.replace(/\..*/, '')

const staged = resolve(folder)
const source = readFileSync(join(staged, 'SOURCE'), 'utf8').trim()
const index = mkdtempSync(join(tmpdir(), 'tidemark-release-'))
process.once('exit', () => rmSync(index, { recursive: true }))
const gitFolder = git(['rev-parse', '--absolute-git-dir'])
/** Always the same, so that the commits are. */
const author = {
  NAME: 'github-actions[bot]',
  EMAIL: '41898282+github-actions[bot]@users.noreply.github.com',
  DATE: `${git(['show', '--no-patch', '--format=%ct', source])} +0000`,
}

const tags = remoteTags()
const release = commitRelease(lastRelease())
const released = tags.get(tag)
if (released !== undefined && released !== release) {
  throw new Error(
    `${tag} is ${released} already, and this build makes ${release}. A version that is out never changes: raise it with npx changeset.`,
  )
}
const isNewest = !versions().some((other) => other.startsWith(`${majorTag}.`) && compareVersions(other, tag) > 0)
push([...(released === undefined ? [tag] : []), ...(isNewest && tags.get(majorTag) !== release ? [majorTag] : [])])

/** All of them at once or none; a tag that someone else has moved meanwhile is left alone. */
function push(names: string[]): void {
  if (names.length === 0) {
    console.log(`${tag} is out as ${release}. There is nothing to do.`)
    return
  }
  const leases = names.map((name) => `--force-with-lease=refs/tags/${name}:${tags.get(name) ?? ''}`)
  git(['push', '--quiet', '--atomic', ...leases, 'origin', ...names.map((name) => `${release}:refs/tags/${name}`)])
  console.log(`${names.join(' and ')} → ${release}`)
}

/** @returns the commit of the workflow, whose parent is that of the actions. */
function commitRelease(parent: string | undefined): string {
  // A file that went through an artifact has lost its mode.
  const asItIs = ['-c', 'core.fileMode=false', '-c', 'core.autocrlf=false', `--git-dir=${gitFolder}`, '--work-tree=.']
  git([...asItIs, 'add', '--all', '--force', '--', '.', ':!.github'], { cwd: staged })
  const actions = commit(`The Action ${tag}, built from ${source}`, parent)
  const blob = git(['hash-object', '-w', '--stdin'], { input: pinnedWorkflow(actions) })
  git(['update-index', '--add', '--cacheinfo', `100644,${blob},${WORKFLOW}`])
  return commit(`The workflow ${tag}, which runs the Action of the commit before`, actions)
}

function commit(message: string, parent: string | undefined): string {
  const parents = parent === undefined ? [] : ['-p', parent]
  const identity = ['AUTHOR', 'COMMITTER'].flatMap((role) =>
    Object.entries(author).map(([key, value]) => [`GIT_${role}_${key}`, value]),
  )
  return git(['commit-tree', git(['write-tree']), ...parents, '-m', message], { env: Object.fromEntries(identity) })
}

/** The workflow with each of our actions at that commit. @throws where it would run anything that can be moved. */
function pinnedWorkflow(actions: string): string {
  const ours = new RegExp(`(uses: ${repositoryName().replaceAll('.', '\\.')}(?:/[a-z-]+)?)@v\\d+`, 'g')
  const workflow = readFileSync(join(staged, WORKFLOW), 'utf8').replace(ours, `$1@${actions} # ${tag}`)
  const loose = [...workflow.matchAll(/uses: (\S+)/g)].find(([, used]) => !/@[0-9a-f]{40}$/.test(used!))
  if (loose) throw new Error(`${WORKFLOW} uses ${loose[1]}, which can be moved. Name it by its commit.`)
  return workflow
}

/** The newest release that is older than this one, so that a second run finds the same. */
function lastRelease(): string | undefined {
  const last = versions().findLast((other) => compareVersions(other, tag) < 0)
  if (last === undefined) return undefined
  git(['fetch', '--quiet', '--no-tags', 'origin', `refs/tags/${last}`])
  return tags.get(last)
}

/** What is released, oldest first. */
function versions(): string[] {
  return [...tags.keys()].filter((name) => VERSION.test(name)).sort(compareVersions)
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function remoteTags(): Map<string, string> {
  const lines = git(['ls-remote', '--tags', '--refs', 'origin', 'v*']).split('\n').filter(Boolean)
  return new Map(lines.map((line) => line.split('\trefs/tags/') as [string, string]).map(([id, name]) => [name, id]))
}

function git(args: string[], { env, ...options }: { cwd?: string; input?: string; env?: object } = {}): string {
  const environment = { ...process.env, GIT_INDEX_FILE: join(index, 'index'), ...env }
  return execFileSync('git', args, { encoding: 'utf8', ...options, env: environment }).trim()
}
