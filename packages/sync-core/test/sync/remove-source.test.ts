import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { removeSource } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

const files = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `# Page ${i}`]))

describe.each(engines)('a removal of a source from %s', { timeout: 180_000 }, (engine) => {
  test('goes in pieces, none of them with more than some hundred pages, and leaves nothing', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ ...files(1_100), 'a.png': '', 'bad.md': 'a\0b' })
    await world.sync()
    let pieces = 0
    const query: typeof world.db.query = async (text, params, signal) => {
      const count = async () => Number((await world.db.query('SELECT count(*) AS n FROM tidemark.pages')).rows[0].n)
      const before = await count()
      const result = await world.db.query(text, params, signal)
      const deleted = before - (await count())
      expect(deleted).toBeLessThanOrEqual(500)
      if (deleted > 0) pieces++
      return result as never
    }
    await removeSource({ ...world.db, query }, 'docs', new AbortController().signal)
    expect(pieces).toBe(3)
    for (const table of [
      'sources',
      'pages',
      'chunks',
      'links',
      'files',
      'quarantine',
      'runs',
      'search_chunks',
      'search_pages',
    ])
      expect({ table, rows: (await world.db.query(`SELECT FROM tidemark.${table}`)).rows }).toEqual({ table, rows: [] })
  })

  test('that is stopped is finished by the next one, or what it took is brought back by a sync', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(files(1_100))
    await world.sync()
    const stop = new AbortController()
    const stopAtSecond = () => {
      let batches = 0
      const query: typeof world.db.query = (text, params, signal) => {
        if (text.includes('deleted_chunks') && ++batches === 2) stop.abort(new Error('enough'))
        return world.db.query(text, params, signal)
      }
      return { ...world.db, query }
    }
    await expect(removeSource(stopAtSecond(), 'docs', stop.signal)).rejects.toThrow('enough')
    const left = Object.keys(await world.pages()).length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(1_100)
    expect(await world.sync()).toMatchObject({ status: 'synced', filesImported: 1_100 - left })
    expect(await world.pages()).toEqual(await world.repository.tree())
    await removeSource(world.db, 'docs', new AbortController().signal)
    expect(await world.pages()).toEqual({})
    expect((await world.db.query('SELECT FROM tidemark.sources')).rows).toEqual([])
  })
})
