import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { type Database, syncSource } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

const files = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i % 7}/p${i}.md`, `page ${i}`]))

describe.each(engines)('a finished source in %s', (engine) => {
  test('is compared only at the paths at which two commits differ', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(files(60))
    await world.sync()
    const { 'd0/p0.md': moved, 'd1/p1.md': _, ...rest } = files(60)
    await world.repository.commit({ ...rest, 'd2/p2.md': 'changed', 'elsewhere.md': moved!, 'new.md': 'new' })
    const asked: string[] = []
    const watched: Database = {
      ...world.db,
      query(text, params) {
        asked.push(text)
        return world.db.query(text, params)
      },
    }
    const source = { id: 'docs', repo: world.repository.folder, ref: 'main' }
    expect(await syncSource(watched, source)).toMatchObject({
      ...{
        status: 'synced',
        filesImported: 1,
        filesUpdated: 1,
        filesRenamed: 1,
        filesDeleted: 1,
        blobsRead: 3,
      },
    })
    expect(asked.filter((text) => text.includes('path > $2'))).toEqual([])
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('keeps what is in quarantine elsewhere, and lets go of what was mended or removed', async () => {
    await using world = await testWorld({ engine })
    const bad = { 'x.md': 'x\0', 'y.md': 'y\0', 'z.md': 'z\0' }
    await world.repository.commit({ ...files(20), ...bad })
    await world.sync()
    await world.repository.commit({ ...files(20), 'x.md': 'x\0', 'y.md': 'mended' })
    expect(await world.sync()).toMatchObject({ status: 'synced', filesImported: 1, blobsRead: 1 })
    const { rows } = await world.db.query('SELECT path FROM tidemark.quarantine')
    expect(rows).toEqual([{ path: 'x.md' }])
  })
})

describe.each(engines)('an unfinished source in %s', (engine) => {
  test('is compared everywhere: nothing stays of a commit that was abandoned halfway, though no later one touches it', async () => {
    await using world = await testWorld({ engine })
    const bookmark = await world.repository.commit(files(60))
    await world.sync()
    const abandoned = Object.keys(files(60)).map((path) => [path, `abandoned ${path}`])
    await world.repository.commit(Object.fromEntries(abandoned))
    const stop = new AbortController()
    const onProgress = ({ phase, done }: { phase: string; done: number }) => {
      if (phase === 'apply' && done > 0) stop.abort()
    }
    expect(await world.sync({ signal: stop.signal, onProgress })).toMatchObject({ status: 'partial', bookmark })
    expect(await world.pages()).not.toEqual(await world.repository.tree(bookmark))
    await world.repository.commit({ ...files(60), 'new.md': 'new' })

    expect(await world.sync()).toMatchObject({ status: 'synced', filesImported: 1 })

    expect(await world.pages()).toEqual(await world.repository.tree())
  })
})
