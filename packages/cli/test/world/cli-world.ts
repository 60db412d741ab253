import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { execa } from 'execa'
import { afterAll } from 'vitest'

const MAIN = fileURLToPath(new URL('../../bin/tidemark.js', import.meta.url))
const BUNDLE = fileURLToPath(new URL('../../../../demo/vite.bundle', import.meta.url))

/** A folder with two repositories, `docs` of three pages and `vite` of 84, and the built command to run in it. */
export interface CliWorld extends Disposable {
  readonly folder: string
  /** Writes a file of the folder. */
  write(name: string, text: string): void
  /** Runs `tidemark` in the folder or one inside it, with the Postgres of the test file unless the environment says otherwise. */
  run(args: string, env?: Record<string, string | undefined>, inside?: string): Promise<Outcome>
  /** The address of that Postgres. */
  database(): Promise<string>
  /** Starts it and does not wait. */
  start(args: string): ReturnType<typeof start>
}

export interface Outcome {
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

let database: Promise<FreshDatabase> | undefined
afterAll(async () => (await database)?.drop())

const start = (folder: string, args: string, env: Record<string, string | undefined>) =>
  execa(process.execPath, [MAIN, ...args.split(' ')], { cwd: folder, env, reject: false })

export async function cliWorld(): Promise<CliWorld> {
  database ??= freshDatabase('postgres')
  const env = { DATABASE_URL: (await database).url, NO_COLOR: '1', CI: undefined, FORCE_COLOR: undefined }
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder })
  git('clone', '-q', '--bare', BUNDLE, 'vite.git')
  git('init', '-q', '-b', 'main', 'docs')
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'docs', `${name}.md`), `# ${name}`)
  git('-C', 'docs', 'add', '.')
  git('-C', 'docs', '-c', 'user.name=A', '-c', 'user.email=a@example.org', 'commit', '-qm', 'first')
  return {
    folder,
    write(name, text) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), text)
    },
    async run(args, more = {}, inside = '.') {
      const { exitCode, stdout, stderr } = await start(join(folder, inside), args, { ...env, ...more })
      return { exitCode, stdout, stderr }
    },
    database: async () => (await database!).url,
    start: (args) => start(folder, args, env),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
