import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

let home: string
let world: CliWorld
let files: string[]
const project = () => join(home, 'project')
const run = (command: string, args: string[], env: Record<string, string | undefined> = {}) =>
  execa(command, args, { cwd: project(), env: { NO_COLOR: '1', ...env } })

beforeAll(async () => {
  world = await cliWorld()
  home = mkdtempSync(join(tmpdir(), 'tidemark-pack-'))
  mkdirSync(project())
  const tarballs: Record<string, string> = {}
  for (const [name, folder] of [
    ['@tidemark/lock', 'lock'],
    ['@tidemark/sync-core', 'sync-core'],
    ['tidemark', 'cli'],
  ] as const) {
    const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', home], {
      cwd: join(PACKAGES, folder),
    })
    const packed = JSON.parse(stdout)
    const told = Array.isArray(packed) ? packed[0] : Object.values<any>(packed)[0]
    tarballs[name] = `file:../${told.filename}`
    files = told.files.map(({ path }: { path: string }) => path)
  }
  writeFileSync(
    join(project(), 'package.json'),
    JSON.stringify({
      type: 'module',
      dependencies: { tidemark: tarballs.tidemark, '@types/node': '^24.0.0' },
      // They are published together; here the other two come from this build as well.
      overrides: {
        '@tidemark/lock': tarballs['@tidemark/lock'],
        '@tidemark/sync-core': tarballs['@tidemark/sync-core'],
      },
    }),
  )
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'])
}, 180_000)
afterAll(() => {
  world[Symbol.dispose]()
  rmSync(home, { recursive: true, force: true })
})

describe('the packed package in an empty folder', { timeout: 120_000 }, () => {
  // npx would start the Node of the machine; its own first line asks for the one on the path as well.
  const env = { PATH: `${join(process.execPath, '..')}:${process.env.PATH}` }
  const tidemark = (args: string, more: Record<string, string | undefined> = {}) =>
    run('npx', ['tidemark', ...args.split(' ')], { ...env, DATABASE_URL: undefined, ...more })

  test('mirrors a repository into an embedded database from the first three commands on', async () => {
    await tidemark('init')
    await tidemark(`sources add docs ${world.folder}/docs`)
    expect((await tidemark('sync --all')).stdout).toMatch(/docs +first_sync +\+3/)
    expect((await tidemark('sync --all --independent')).stdout).toMatch(/docs +up_to_date/)
  })

  test('mirrors it into the Postgres of DATABASE_URL', async () => {
    const { stdout } = await tidemark('sync --all --independent --timeout 1m', {
      DATABASE_URL: world.database,
    })
    expect(stdout).toMatch(/docs +first_sync +\+3/)
  })

  test('offers its configuration to programs, with types', async () => {
    writeFileSync(
      join(project(), 'use.ts'),
      `import { type Config, durationMs, findConfig, loadConfig } from 'tidemark/config'
const config: Config = loadConfig(findConfig(undefined))
console.log(config.sources.map(({ id, everyMs }) => [id, everyMs === durationMs('1h')]).join())`,
    )
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      strict: true,
      types: ['node'],
    }
    writeFileSync(join(project(), 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }))
    await run(process.execPath, [TSC])
    expect((await run(process.execPath, ['use.js'])).stdout).toBe('docs,true')
  })

  test('holds its schemas and the licences of what is built in, and no test', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'schema/tidemark.yaml.json',
        'schema/output.json',
        'dist/THIRD-PARTY-LICENSES.txt',
        'LICENSE',
      ]),
    )
    expect(files.filter((path) => path.startsWith('test'))).toEqual([])
  })
})
