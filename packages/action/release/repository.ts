/**
 * Whose this is stands in one place: `repository` of the root's package.json. This finds every file that says another,
 * and mends them with `--write`; so a fork changes one line.
 *
 * ```sh
 * npm run check:repository              # which files say another
 * npm run check:repository -- --write   # have them say it
 * ```
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** `owner/name` of a `uses:` of ours: those of others are pinned to commits, and have none of our paths. */
const OURS =
  /(?<![\w./-])[\w.-]+\/[\w.-]+(?=(?:\/(?:plan|sync|embed|break-stale|status|\.github\/workflows\/sync\.yml))?@v\d)/g

/** `owner/name`, as `repository` of the package.json in that folder says. */
export function repositoryName(root = ROOT): string {
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const name = /^git\+https:\/\/github\.com\/([\w.-]+\/[\w.-]+)\.git$/.exec(repository?.url ?? '')?.[1]
  if (name) return name
  throw new Error(
    'package.json needs a repository: { "type": "git", "url": "git+https://github.com/<owner>/<name>.git" }',
  )
}

/** Files that name another repository than the root's package.json, each with what it ought to be. */
export function findOtherRepositories(root = ROOT): { file: string; text: string }[] {
  const name = repositoryName(root)
  const files = execFileSync('git', ['ls-files', '-z', '*.yml', '*.yaml', '*.md', '*package.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  return files.split('\0').flatMap((file) => {
    if (!file) return []
    const text = readFileSync(join(root, file), 'utf8')
    const expected = file.endsWith('package.json') ? withRepository(file, text, name) : text.replace(OURS, name)
    return expected === text ? [] : [{ file, text: expected }]
  })
}

/** The package.json of a package that is published, with its repository: npm refuses provenance without. */
function withRepository(file: string, text: string, name: string): string {
  const { private: isPrivate, repository: _, license, ...others } = JSON.parse(text)
  if (isPrivate) return text
  const directory = file.replace(/\/package\.json$/, '')
  const repository = { type: 'git', url: `git+https://github.com/${name}.git`, directory }
  const { version, description, keywords, name: packageName, ...rest } = others
  const json = { name: packageName, version, description, keywords, license, repository, ...rest }
  return `${JSON.stringify(json, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = findOtherRepositories()
  if (process.argv.includes('--write')) {
    for (const { file, text } of found) writeFileSync(join(ROOT, file), text)
  } else if (found.length > 0) {
    console.error(`These say another repository than package.json, which says ${repositoryName()}:`)
    for (const { file } of found) console.error(`  ${file}`)
    console.error('Have them say it: npm run check:repository -- --write')
    process.exitCode = 1
  }
}
