import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

const files = (count: number, name: string, text: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}.md`, text]))

describe.each(engines)('a sync into %s', (engine) => {
  test('breaks a lease that was not refreshed for long where it is told to, and no other', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    const breakLockIfStaleMs = 60_000
    await world.db.locks.acquire('sync:docs')
    expect(await world.sync({ breakLockIfStaleMs })).toMatchObject({ status: 'busy' })
    await world.db.query(`UPDATE tidemark.locks SET last_refreshed_at = now() - interval '2 minutes'`)
    expect(await world.sync()).toMatchObject({ status: 'busy' })
    expect(await world.sync({ breakLockIfStaleMs })).toMatchObject({ status: 'first_sync', filesImported: 1 })
  })

  test('that has waited looks again, and does nothing where its ref has moved back meanwhile', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await world.repository.commit({ 'a.md': 'b' })
    const other = await world.db.locks.acquire('sync:docs')
    let released: Promise<unknown> | undefined
    const result = await world.sync({
      waitMs: 30_000,
      async onProgress({ phase }) {
        if (phase !== 'lock' || released) return
        released = world.repository.git.raw('update-ref', 'refs/heads/main', bookmark).then(() => other.release())
      },
    })
    expect(result).toMatchObject({ status: 'up_to_date', target: bookmark, bookmark, filesRemaining: 0 })
    expect((await world.db.query('SELECT status FROM tidemark.runs')).rows).toEqual([{ status: 'first_sync' }])
    expect(await world.db.locks.list()).toEqual([])
  })

  test('that would write every page again says so in a dry run, with the bookmark that is in', async () => {
    await using world = await testWorld({ engine })
    expect(await world.sync({ dryRun: true, ref: 'none' })).toMatchObject({ status: 'failed', bookmark: null })
    const bookmark = await world.repository.commit(files(3, 'p', 'text'))
    expect(await world.sync({ dryRun: true })).toMatchObject({ bookmark: null, filesImported: 3 })
    await world.sync()
    expect(await world.sync({ dryRun: true })).toMatchObject({ status: 'dry_run', bookmark, filesUpdated: 0 })
    expect(await world.sync({ dryRun: true, full: true })).toMatchObject({ bookmark, filesUpdated: 3 })
  })

  test('says in a dry run what a person must allow, allowed or not', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await world.repository.commit({ 'a.txt': 'a' })
    const { warnings } = await world.sync({ dryRun: true, allowMassDelete: true })
    expect(warnings.map(({ code }) => code)).toContain('mass_delete')
    expect(await world.sync({ allowMassDelete: true })).toMatchObject({ status: 'synced', filesDeleted: 1 })
  })

  test('that fails in a dry run leaves how the last one ended, and any other does not', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    const lastStatus = async () => (await world.db.query('SELECT last_status FROM tidemark.sources')).rows
    expect(await world.sync({ dryRun: true, ref: 'none' })).toMatchObject({ status: 'failed', bookmark })
    expect(await lastStatus()).toEqual([{ last_status: 'first_sync' }])
    expect(await world.sync({ ref: 'none' })).toMatchObject({ status: 'failed', bookmark })
    expect(await lastStatus()).toEqual([{ last_status: 'failed' }])
  })

  test('counts the files that earlier runs towards its commit have set aside as failed, too', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ ...files(15, 'a', 'bad\0'), ...files(15, 'b', 'good'), ...files(8, 'c', 'bad\0') })
    const stop = new AbortController()
    const onProgress = ({ done }: { done: number }) => done > 0 && stop.abort()
    expect(await world.sync({ signal: stop.signal, onProgress })).toMatchObject({ filesQuarantined: 15 })
    const blocked = await world.sync()
    expect(blocked).toMatchObject({ status: 'blocked_by_failures', filesImported: 0 })
    expect(blocked.warnings[0]?.message).toContain('23 of 28 files cannot be stored')
  })

  test('goes on where the repository has lost the commit of its bookmark', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    const { git } = world.repository
    await git.raw('update-ref', '-d', 'refs/heads/main')
    await world.repository.commit({ 'a.md': 'a', 'c.md': 'c' })
    await git.raw('reflog', 'expire', '--expire=now', '--all')
    await git.raw('gc', '--quiet', '--prune=now')
    expect(await world.sync()).toMatchObject({ status: 'synced', filesImported: 1, filesDeleted: 1, filesUpdated: 0 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('leaves the search index to a later one where it is told to', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    const indexed = async () => (await world.db.query('SELECT page_id FROM tidemark.search_pages')).rows.length
    expect((await world.sync({ search: false })).phases.search).toBe(0)
    expect(await indexed()).toBe(0)
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
    expect(await indexed()).toBe(1)
  })
})
