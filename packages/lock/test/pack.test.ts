import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import { execa } from 'execa'
import { expect, test } from 'vitest'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

const body = `
  const locks: Locks = createLocks(db)
  await locks.migrate()
  const token: bigint = await locks.withLock('job', { waitMs: 1_000 }, async (lease) => {
    lease.assertHeld()
    return lease.token
  })
  console.log(typeof token)
  await locks.close()`

const TYPES = `import { createLocks, LeaseLostError, type Lease, type LeaseEvent, type Queryable } from '@tidemark/lock'
export async function work(db: Queryable) {
  await using locks = createLocks(db, { onEvent: ({ type, key }: LeaseEvent) => [type, key] })
  await using lease: Lease = await locks.acquire('job', { waitMs: 1, atLeastMs: 1, ttlMs: 10_000 })
  if (lease.signal.reason instanceof LeaseLostError) return lease.signal.reason.reason
  return lease.fenceTag((strings, ...values) => [strings.raw, values] as const)
}
`

const USERS = {
  postgres: {
    dependencies: { pg: '^8.23.1', '@types/pg': '^8.23.1' },
    source: (url: string) => `import pg from 'pg'
import { createLocks, type Locks } from '@tidemark/lock'
const db = new pg.Pool({ connectionString: ${JSON.stringify(url)} })
${body}
await db.end()`,
  },
  pglite: {
    dependencies: { '@electric-sql/pglite': '0.5.16' },
    source: (folder: string) => `import { PGlite } from '@electric-sql/pglite'
import { createLocks, type Locks } from '@tidemark/lock'
const db = await PGlite.create(${JSON.stringify(folder)})
${body}
await db.close()`,
  },
}

test.each(['postgres', 'pglite'] as const)(
  'the packed package installs beside %s, compiles and runs in an empty project',
  { timeout: 180_000 },
  async (engine) => {
    const { dependencies, source } = USERS[engine]
    const database = await freshDatabase(engine)
    const home = mkdtempSync(join(tmpdir(), 'tidemark-pack-'))
    try {
      const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', home], { cwd: PACKAGE })
      const packed = JSON.parse(stdout)
      const { filename, files } = Array.isArray(packed) ? packed[0] : Object.values<any>(packed)[0]
      expect(files.map(({ path }: { path: string }) => path)).toContain('dist/index.d.ts')
      const project = join(home, 'project')
      mkdirSync(project)
      writeFileSync(
        join(project, 'package.json'),
        JSON.stringify({
          type: 'module',
          dependencies: {
            '@tidemark/lock': `file:../${filename}`,
            '@types/node': '^24.0.0',
            ...dependencies,
          },
        }),
      )
      const run = (command: string, args: string[]) => execa(command, args, { cwd: project, all: true })
      await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'])
      writeFileSync(join(project, 'use.ts'), source(database.url))
      writeFileSync(
        join(project, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            module: 'nodenext',
            target: 'es2024',
            lib: ['es2024', 'esnext.disposable'],
            strict: true,
            // Its own declarations need those of a browser.
            skipLibCheck: engine === 'pglite',
            types: ['node'],
          },
          files: ['use.ts'],
        }),
      )
      await run(process.execPath, [TSC])
      // Its own types alone, in a project that has none of Node, checked to the last declaration.
      writeFileSync(join(project, 'types.ts'), TYPES)
      const alone = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--types', '', '--noEmit', 'types.ts']
      await run(process.execPath, [TSC, ...alone, '--ignoreConfig'])
      expect((await run(process.execPath, ['use.js'])).stdout).toBe('bigint')
      const required = `console.log(typeof require('@tidemark/lock').createLocks)`
      expect((await run(process.execPath, ['--input-type=commonjs', '-e', required])).stdout).toBe('function')
    } finally {
      rmSync(home, { recursive: true, force: true })
      await database.drop()
    }
  },
)
