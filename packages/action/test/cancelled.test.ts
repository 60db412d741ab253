import { startSilentProxy } from '@tidemark/test-engines/silent-proxy'
import { describe, expect, test } from 'vitest'
import { actionWorld, heldBack, heldBackMigration, isFree, silentDatabase } from './world/action-world.ts'
import { cancelAsRunner } from './world/runner.ts'

async function worldWithVite() {
  const world = await actionWorld()
  await world.vite('vite.git')
  world.configure({ vite: { repo: 'vite.git', ref: 'main' } })
  await world.run({ uses: 'plan' })
  return world
}

const NOWHERE = { DATABASE_URL: 'postgres://me@127.0.0.1:9/x' }

test('a step that has given back its leases leaves its post step no reason to ask the database', async () => {
  await using world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ docs: { repo: 'docs' } })
  const synced = await world.run({ uses: 'sync' })
  expect(synced.outputs).toMatchObject({ status: 'first_sync' })
  expect(await synced.post(NOWHERE)).toMatchObject({ exitCode: 0, annotations: [] })
})

describe('a cancelled job', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends as partial on %s, and its lease is free', async (signal, code) => {
    await using world = await worldWithVite()
    await using held = await heldBack(world)
    const { child, ended } = world.start({ with: { command: 'sync' } })
    await held.waiting()
    child.kill(signal)
    const cancelled = await ended
    expect(cancelled).toMatchObject({ exitCode: code, outputs: { status: 'partial', partial: 'true' } })
    expect(JSON.parse(cancelled.outputs.results!).results).toMatchObject([
      { status: 'partial', reason: 'cancelled', filesImported: 25 },
    ])
    expect(cancelled.summary).toContain('partial (cancelled)')
    expect(await isFree(world, 'vite')).toBe(true)
    expect(await cancelled.post(NOWHERE)).toMatchObject({ exitCode: 0, annotations: [] })
  })

  test('that was killed leaves its lease to the post step, which gives up exactly that one', async () => {
    await using world = await worldWithVite()
    const held = await heldBack(world)
    const { child, ended } = world.start({ uses: 'sync' })
    await held.waiting()
    child.kill('SIGKILL')
    const killed = await ended
    expect(killed.signal).toBe('SIGKILL')
    expect(await isFree(world, 'vite')).toBe(false)
    await held[Symbol.asyncDispose]()

    const nowhere = await killed.post(NOWHERE)
    expect(nowhere).toMatchObject({ exitCode: 0, annotations: [{ level: 'warning' }] })

    const post = await killed.post()
    expect(post.annotations).toMatchObject([{ level: 'notice', message: expect.stringContaining('sync:vite') }])
    expect(await isFree(world, 'vite')).toBe(true)

    // Whoever has taken the lease since keeps it.
    await world.pool.query(`UPDATE tidemark.locks SET token = token + 1, holder_id = 'next', holder_host = 'h',
      holder_pid = 1, last_refreshed_at = now(), expires_at = now() + interval '1 hour'`)
    expect(await killed.post()).toMatchObject({ exitCode: 0, annotations: [] })
    expect(await isFree(world, 'vite')).toBe(false)
  })

  test('ends at once where the database has not even answered', async () => {
    await using world = await worldWithVite()
    await using silent = await silentDatabase()
    const { child, ended } = world.start({ uses: 'sync', env: { DATABASE_URL: silent.url } })
    await silent.connected
    child.kill('SIGTERM')
    const cancelled = await ended
    expect(cancelled).toMatchObject({
      exitCode: 143,
      outputs: { status: 'partial', partial: 'true', behind: '["vite"]' },
    })
    expect(JSON.parse(cancelled.outputs.results!)).toMatchObject({
      version: 1,
      results: [{ source: 'vite', status: 'partial', reason: 'cancelled', filesRemaining: null }],
    })
  })

  test('ends at once where its database is still making the tables', async () => {
    await using world = await actionWorld()
    await world.vite('vite.git')
    world.configure({ vite: { repo: 'vite.git', ref: 'main' } })
    await using held = await heldBackMigration(world)
    const { child, ended } = world.start({ uses: 'sync' })
    await held.waiting()
    child.kill('SIGINT')
    const cancelled = await ended
    expect(cancelled).toMatchObject({ exitCode: 130, outputs: { status: 'partial', behind: '["vite"]' } })
    expect(JSON.parse(cancelled.outputs.results!).results).toMatchObject([{ source: 'vite', reason: 'cancelled' }])
  })

  test('has its results where the database goes silent, before the runner kills it', async () => {
    await using world = await worldWithVite()
    await using proxy = await startSilentProxy(world.database)
    await using held = await heldBack(world)
    const { child, ended } = world.start({ uses: 'sync', env: { DATABASE_URL: proxy.url } })
    await held.waiting()
    proxy.silence('all')
    const killed = cancelAsRunner(child)
    const cancelled = await ended
    killed.abort()
    expect(JSON.parse(cancelled.outputs.results!).results).toMatchObject([
      { source: 'vite', status: 'partial', reason: 'cancelled' },
    ])
    expect(cancelled).toMatchObject({ exitCode: 130, outputs: { status: 'partial', behind: '["vite"]' } })
  })
})
