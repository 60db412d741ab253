import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { readSources, removeSource } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

const { signal } = new AbortController()

describe.each(engines)('a source in %s', (engine) => {
  test('is removed with its pages, and leaves no lease and no other source behind', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await world.sync({ id: 'other' })

    await removeSource(world.db, 'docs', signal)

    expect(await world.pages()).toEqual({})
    expect((await readSources(world.db)).map(({ id }) => id)).toEqual(['other'])
    expect(await world.db.locks.list()).toEqual([])
  })

  test('that is being synced is not removed, and the process that syncs it is named', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()
    await using lease = await world.db.locks.acquire('sync:docs')

    await expect(removeSource(world.db, 'docs', signal)).rejects.toMatchObject({
      code: 'SOURCE_BUSY',
      message: expect.stringContaining(`"docs" is being synced by process ${process.pid} on `),
      hint: 'Wait for it to end, or stop it.',
    })

    expect(Object.keys(await world.pages())).toEqual(['a.md'])
    expect(lease.held).toBe(true)
  })

  test('is not removed by a caller that was told to stop', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({ 'a.md': 'a' })
    await world.sync()

    await expect(removeSource(world.db, 'docs', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')

    expect(Object.keys(await world.pages())).toEqual(['a.md'])
  })
})

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
    await removeSource({ ...world.db, query }, 'docs', signal)
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
    await removeSource(world.db, 'docs', signal)
    expect(await world.pages()).toEqual({})
    expect((await world.db.query('SELECT FROM tidemark.sources')).rows).toEqual([])
  })
})
