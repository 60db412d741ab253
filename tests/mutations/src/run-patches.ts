import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Table from 'cli-table3'
import { execa } from 'execa'

// Each patch breaks the product in one place. It is applied to a copy of this repository, as it is in the folder now, and
// the tests that it names are run there: they have to fail. A patch that no test notices is a survivor, and one that no
// longer applies has to be written anew; both make this exit with 1.

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PATCHES = fileURLToPath(new URL('../patches/', import.meta.url))

interface Mutation {
  readonly name: string
  readonly file: string
  /** The test files that have to notice it. */
  readonly tests: readonly string[]
}

/** A patch names its tests above its first hunk. */
function readMutations(wanted: readonly string[]): Mutation[] {
  const files = readdirSync(PATCHES).filter((name) => name.endsWith('.patch'))
  const mutations = files.map((name) => {
    const file = join(PATCHES, name)
    const tests = /^Tests: (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1]
    if (tests === undefined)
      throw new Error(`${file} does not name its tests: write a line "Tests: <files>" at its top`)
    return { name: name.replace(/\.patch$/, ''), file, tests: tests.split(' ') }
  })
  return mutations.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
}

/** A copy of the files that git knows or would add, which uses the packages that are installed here. */
async function copyRepository(folder: string): Promise<void> {
  const listed = await execa({ cwd: ROOT })`git ls-files -z --cached --others --exclude-standard --deduplicate`
  for (const path of listed.stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(ROOT, path), join(folder, path))
  }
  const installed = [
    '.',
    ...['packages', 'tests'].flatMap((group) => readdirSync(join(ROOT, group)).map((name) => join(group, name))),
  ]
  for (const workspace of installed) {
    for (const made of ['node_modules', 'dist']) {
      const folders = readdirSync(join(ROOT, workspace), { withFileTypes: true })
      if (folders.some(({ name }) => name === made))
        symlinkSync(join(ROOT, workspace, made), join(folder, workspace, made))
    }
  }
}

/** The first test that fails; null where all pass. @throws where they could not be run */
async function firstFailure(folder: string, tests: readonly string[]): Promise<string | null> {
  const report = join(folder, 'test-results', 'vitest.json')
  rmSync(report, { force: true })
  const options = { cwd: folder, preferLocal: true, reject: false, all: true } as const
  const run = await execa(options)`vitest run --bail 1 ${tests}`
  if (run.exitCode === 0) return null
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport
  const failed = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed')
  return failed?.fullName ?? testResults.find(({ status }) => status === 'failed')?.message ?? run.all
}

interface VitestReport {
  readonly testResults: readonly {
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const mutations = readMutations(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), 'tidemark-mutations-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
await copyRepository(folder)

const git = execa({ cwd: folder, reject: false })
const rows: string[][] = []
const unbroken = await firstFailure(folder, [...new Set(mutations.flatMap(({ tests }) => tests))])
if (unbroken !== null) throw new Error(`the tests have to pass before anything is broken: ${unbroken}`)
for (const { name, file, tests } of mutations) {
  const { failed, stderr } = await git`git apply ${file}`
  if (failed) {
    rows.push([name, 'DOES NOT APPLY', stderr])
  } else {
    const noticed = await firstFailure(folder, tests)
    rows.push(noticed === null ? [name, 'SURVIVED', tests.join(' ')] : [name, 'noticed', noticed])
    await git`git apply --reverse ${file}`
  }
  console.log(rows.at(-1)!.join('  '))
}
const table = new Table({
  head: ['mutation', '', 'by'],
  colWidths: [40, 16, 70],
  wordWrap: true,
  style: { head: [], border: [] },
})
table.push(...rows)
const noticed = rows.filter(([, verdict]) => verdict === 'noticed').length
console.log(`${table.toString()}\n${noticed} noticed, ${rows.length - noticed} not`)
process.exitCode = noticed === rows.length ? 0 : 1
