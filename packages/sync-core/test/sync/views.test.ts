import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

describe.each(allEngines)('in %s', (engine) => {
  test('backlinks tell what points to a page, by path, without extension, to its folder or by its wiki name', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
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
    await world.repository.add('missing.md', 'now it is there')
    await world.repository.commitStaged()
    await world.sync()
    expect(await backlinks()).toEqual([...before, 'a.md link missing.md'])
  })

  test('outlinks tell which page each link means, and change when a page appears, moves or goes', async () => {
    await using world = await testWorld({ engine })
    const outlinks = async () => {
      const { rows } = await world.db.query(
        `SELECT target, to_path FROM tidemark.outlinks WHERE path = 'a/from.md' ORDER BY ordinal`,
      )
      return Object.fromEntries(rows.map(({ target, to_path }) => [target, to_path]))
    }
    const from = `[1](./to.md) [2](to) [3](/b/) [4](../b/to.html#x) [5](%F0%9F%8E%89.md?y) [6](none.md)
      [7](https://example.org/to.md) [8](#here) [[to]] [[B/To|named]] [[日本#x]] [[nowhere]] ![p](p.png)`
    const files = { 'a/from.md': from, 'a/to.md': '1', 'b/to.md': '2', 'b/README.md': '3', 'a/🎉.md': '4' }
    await world.repository.commit({ ...files, 'deep/er/日本.md': '5', 'deep/er/st/日本.md': '6' })
    await world.sync()
    const before = {
      './to.md': 'a/to.md',
      to: 'a/to.md',
      '/b/': 'b/README.md',
      '../b/to.html#x': 'b/to.md',
      '%F0%9F%8E%89.md?y': 'a/🎉.md',
      'none.md': null,
      'https://example.org/to.md': null,
      '#here': null,
      'B/To': 'b/to.md',
      '日本#x': 'deep/er/日本.md',
      nowhere: null,
      'p.png': null,
    }
    expect(await outlinks()).toEqual(before)
    const { 'a/to.md': _, ...rest } = files
    await world.repository.commit({ ...rest, 'x/Nowhere.md': '7', 'a/none.md': '8', 'deep/日本.md': '5' })
    await world.sync()
    expect(await outlinks()).toEqual({
      ...before,
      './to.md': null,
      to: 'b/to.md',
      'none.md': 'a/none.md',
      '日本#x': 'deep/日本.md',
      nowhere: 'x/Nowhere.md',
    })
  })

  test('freshness tells since when a newer commit is known or, where none is, since when nobody has looked', async () => {
    await using world = await testWorld({ engine })
    const freshness = async () =>
      (
        await world.db.query(
          `SELECT status, behind_since, staleness > interval '1 hour' AS stale, last_checked_at FROM tidemark.freshness`,
        )
      ).rows[0]
    await world.repository.commit({ 'a.md': 'a', 'b.md': 'b' })
    await world.sync()
    expect(await freshness()).toMatchObject({ status: 'first_sync', behind_since: null, stale: false })
    await world.db.query(`UPDATE tidemark.sources SET last_checked_at = now() - interval '2 hours'`)
    const { stale, last_checked_at: checked } = await freshness()
    expect([stale, Date.now() - checked.getTime()]).toEqual([true, expect.closeTo(2 * 3_600_000, -6)])
    await world.repository.commit({ 'c.txt': 'c' })
    await world.sync()
    const since = (await freshness()).behind_since
    expect(await freshness()).toMatchObject({ status: 'blocked' })
    await world.sync()
    expect((await freshness()).behind_since).toEqual(since)
    await world.sync({ ref: 'gone' })
    expect(await freshness()).toMatchObject({ status: 'failed', behind_since: since })
    await world.sync({ allowMassDelete: true })
    expect(await freshness()).toMatchObject({ status: 'synced', behind_since: null, stale: false })
  })
})
