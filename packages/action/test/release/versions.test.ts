import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { commitAll, isolatedGit } from '@tidemark/test-engines/git'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { ROOT } from '../world/runner.ts'

const packages = ['lock', 'sync-core', 'cli', 'action']

test.each([
  ['@tidemark/lock', packages],
  ['tidemark', ['cli', 'action']],
  ['@tidemark/action', ['action']],
])('a change of %s is a new version of all that hold it, so of the Action', async (changed, raised) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-versions-'))
  const git = isolatedGit(folder)
  await git.init()
  const files = (
    await isolatedGit(ROOT).raw('ls-files', '*package.json', 'package-lock.json', '.changeset/config.json')
  ).split('\n')
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(ROOT, file), join(folder, file))
  }
  writeFileSync(join(folder, '.changeset/a.md'), `---\n"${changed}": patch\n---\n\nA mend.\n`)
  await commitAll(git)
  const versions = () =>
    packages.map((name) => JSON.parse(readFileSync(join(folder, `packages/${name}/package.json`), 'utf8')).version)

  const before = versions()
  await execa('node', [join(ROOT, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: folder })

  const after = versions()
  expect(packages.filter((_, i) => before[i] !== after[i])).toEqual(raised)
  rmSync(folder, { recursive: true })
})
