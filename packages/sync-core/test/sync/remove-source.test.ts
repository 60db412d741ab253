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
