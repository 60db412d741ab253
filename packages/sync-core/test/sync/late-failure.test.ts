import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engines } from '@tidemark/test-engines'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { syncSource } from '../../src/index.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-late-'))
})
afterEach(() => {
  delete process.env.GIT_SSH_COMMAND
  rmSync(folder, { recursive: true, force: true })
})

/** A run whose server takes its time to refuse it. */
function startRunThatFails(world: TestWorld) {
  const [ssh, go] = [join(folder, 'ssh'), join(folder, 'go')]
  writeFileSync(ssh, `#!/bin/sh\nwhile [ ! -e ${go} ]; do sleep 0.05; done\nexit 1\n`, { mode: 0o755 })
  process.env.GIT_SSH_COMMAND = ssh
  const source = { id: 'docs', repo: 'git@example.org:docs.git', ref: 'main' }
  const running = syncSource(world.db, source, { clones: folder })
  return () => {
    writeFileSync(go, '')
    return running
  }
}

const lastStatus = async ({ db }: TestWorld) =>
  (await db.query('SELECT last_status FROM tidemark.sources')).rows[0]?.last_status

describe.each(engines)('in %s a run that fails before it has a lease', (engine) => {
  test('leaves what another has noted meanwhile, and tells the bookmark that is in', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit({ 'a.md': 'a' })
    const fail = startRunThatFails(world)
    expect(await world.sync()).toMatchObject({ status: 'first_sync' })

    expect(await fail()).toMatchObject({ status: 'failed', bookmark })

    expect(await lastStatus(world)).toBe('first_sync')
  })

  test('notes so where nobody has looked since it began', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const fail = startRunThatFails(world)

    expect(await fail()).toMatchObject({ status: 'failed', bookmark })

    expect(await lastStatus(world)).toBe('failed')
  })

  test('after its own look notes so: that look is not the one of another', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'b' })
    const other = await world.db.locks.acquire('sync:docs')
    const waiting = world.sync({
      waitMs: 30_000,
      async onProgress({ phase }) {
        if (phase !== 'lock') return
        await world.repository.git.raw('update-ref', '-d', 'refs/heads/main')
        other.release()
      },
    })

    expect(await waiting).toMatchObject({ status: 'failed', error: { code: 'REF_NOT_FOUND' } })

    expect(await lastStatus(world)).toBe('failed')
  })
})
