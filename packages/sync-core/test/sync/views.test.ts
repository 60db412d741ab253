import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

describe.each(engines)('in %s', (engine) => {
  test('backlinks tell what points to a page, by path, without extension, to its folder or by its wiki name', async () => {
    await using world = await testWorld({ engine })
    world.repository.commit({
      'a.md': '[1](guide/first%20steps.md#x) [2](guide/) [3](https://x.org) [4](missing.md)',
      'b/c.md': '[[First Steps]] [5](/guide/first%20steps) [6](../guide/日本.md)',
      'guide/first steps.md': 'x',
      'guide/index.md': 'x',
      'guide/日本.md': 'x',
    })
    await world.sync()
    const backlinks = async () => {
      const { rows } = await world.db.query(
        'SELECT path, from_path, kind FROM tidemark.backlinks ORDER BY path, from_path, kind',
      )
      return rows.map(({ path, from_path, kind }) => `${from_path} ${kind} ${path}`)
    }
    const before = [
      'a.md link guide/first steps.md',
      'b/c.md link guide/first steps.md',
      'b/c.md wiki guide/first steps.md',
      'a.md link guide/index.md',
      'b/c.md link guide/日本.md',
    ]
    expect(await backlinks()).toEqual(before)
    world.repository.add('missing.md', 'now it is there')
    world.repository.commitIndex()
    await world.sync()
    expect(await backlinks()).toEqual([...before, 'a.md link missing.md'])
  })

  test('freshness tells since when a newer commit is known, whatever was looked at since', async () => {
    await using world = await testWorld({ engine })
    const freshness = async () =>
      (
        await world.db.query(
          `SELECT status, behind_since, staleness > interval '0' AS behind FROM tidemark.freshness`,
        )
      ).rows[0]
    world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    expect(await freshness()).toEqual({ status: 'first_sync', behind_since: null, behind: false })
    world.repository.commit({ 'c.txt': 'c' })
    await world.sync()
    const since = (await freshness()).behind_since
    expect(await freshness()).toMatchObject({ status: 'blocked', behind: true })
    await world.sync()
    expect((await freshness()).behind_since).toEqual(since)
    await world.sync({ ref: 'gone' })
    expect(await freshness()).toMatchObject({ status: 'failed', behind: true, behind_since: since })
    await world.sync({ allowMassDelete: true })
    expect(await freshness()).toEqual({ status: 'synced', behind_since: null, behind: false })
  })
})
