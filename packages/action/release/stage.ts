/**
 * Lays out in a folder what the tag v1 holds: the Action as it is used, with its parser for every platform of a
 * runner.
 *
 * ```sh
 * npm run release:stage -w @tidemark/action -- <folder>
 * ```
 */
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const ROOT = join(PACKAGE, '../..')

/** What of the package is part of the Action. */
const PARTS = ['action.yml', 'break-stale', 'dist', 'embed', 'LICENSE', 'plan', 'README.md', 'status', 'sync']

type Locked = Record<string, { version: string; integrity: string; os?: string[] }>

const folder = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? '')
mkdirSync(folder, { recursive: true })
for (const part of PARTS) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true })
cpSync(join(ROOT, '.github/workflows/sync.yml'), join(folder, '.github/workflows/sync.yml'))
for (const file of await nativeParsers()) cpSync(file, join(folder, 'dist', basename(file)))
const { stdout: commit } = await execa('git', ['-C', ROOT, 'rev-parse', 'HEAD'])
writeFileSync(join(folder, 'SOURCE'), `${commit}\n`)

/** The parser's machine code for each platform, exactly as the lock file has it. */
async function nativeParsers(): Promise<string[]> {
  const locked = lockedIn(ROOT)
  const names = Object.keys(locked).filter((name) => /\/@bruits\/satteri-/.test(name) && locked[name]!.os)
  const home = mkdtempSync(join(tmpdir(), 'tidemark-parsers-'))
  process.once('exit', () => rmSync(home, { recursive: true }))
  writeFileSync(join(home, 'package.json'), '{ "private": true }')
  const packages = names.map((name) => `${name.replace('node_modules/', '')}@${locked[name]!.version}`)
  // By force: most of them are for other machines than this one.
  await execa('npm', ['install', '--force', '--ignore-scripts', '--no-audit', ...packages], { cwd: home })
  const installed = lockedIn(home)
  for (const name of names) {
    if (installed[name]?.integrity === locked[name]!.integrity) continue
    throw new Error(`${name} is not what package-lock.json has. Do not release it; find out why.`)
  }
  return globSync(`${home}/node_modules/@bruits/satteri-*/*.node`)
}

function lockedIn(folder: string): Locked {
  return JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages
}
