import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Result } from '../../src/database/pglite/pglite-process.ts'
import { pack, unpack } from '../../src/database/pglite/spool.ts'

const PROCESS = fileURLToPath(new URL('../../src/database/pglite/pglite-process.ts', import.meta.url))
/** With its SQL grammar it would be three times that. */
const MOST_BYTES = 200 * 1024 ** 2

test('an embedded database is compiled in little memory: what is hot is optimized, but not its SQL grammar', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-compiled-'))
  try {
    // Where V8 optimizes at once what it finds hot, nothing depends on when.
    const execArgv = ['--wasm-sync-tier-up', '--trace-wasm-compilation-times']
    const stdio = ['ignore', 'pipe', 'inherit', 'ipc', 'pipe'] as const
    const child = fork(PROCESS, [join(folder, 'db')], { serialization: 'advanced', stdio: [...stdio], execArgv })
    const tracing = text(child.stdout!)
    const ask = async (statement: string | null) => {
      child.send({ packed: pack({ text: statement, params: [] }, null, 0), slot: 0 })
      const [{ packed }] = await once(child, 'message')
      const { rows, error } = unpack(packed, null, 0) as Result
      expect(error).toBeUndefined()
      return rows
    }
    const sum = Array.from({ length: 500 }, (_, n) => n).join(' + ')
    for (let n = 0; n < 20; n++) expect(await ask(`SELECT ${sum} AS sum`)).toEqual([{ sum: 124_750 }])
    await ask(null)
    child.kill('SIGKILL')
    const optimized = Array.from((await tracing).matchAll(/using TurboFan, .* (\d+) \/ \d+ max\/total bytes/g))
    const sizes = optimized.map(([, bytes]) => Number(bytes))
    expect(sizes.length).toBeGreaterThan(10)
    expect(Math.max(...sizes)).toBeLessThan(MOST_BYTES)
  } finally {
    await rm(folder, { recursive: true, maxRetries: 5 })
  }
})
