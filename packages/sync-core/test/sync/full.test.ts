import { isDeepStrictEqual } from 'node:util'
import { engines } from '@tidemark/test-engines'
import { readSearchEntries } from '@tidemark/test-engines/contents'
import { describe, expect, test } from 'vitest'
import { PARSER_VERSION } from '../../src/parse/parser-version.ts'
import { everyTampering } from '../world/tamper.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const FILES = {
  'README.md': '# Hello\n\nSee [the guide](guide/start.md#first), ![a logo](logo.png) and [[Start]].\n',
  'guide/start.md':
    '---\ntitle: Start here\ntags: [a, b]\n---\n\n# Start\n\nText [[README|home]].\n\n## First\n\nMore, [home](../README.md).\n\n## Second\n\nThe end.\n',
  'guide/plain.md': 'No heading and no link.',
  'guide/empty.md': '',
}

/** Everything that an import from nothing makes, and the ids that pages are to keep. */
async function readState(world: TestWorld) {
  const derived = [await world.contents(), await readSearchEntries(world.db, 'docs')]
  return { derived, ids: await world.ids() }
}

/** Which version of its row each row of chunks, links and search entries is: another after it was written again. */
async function rowVersions(world: TestWorld) {
  const { rows } = await world.db.query(/* sql */ `
    SELECT 'chunks' AS table, page_id, ordinal, xmin::text FROM tidemark.chunks UNION ALL
    SELECT 'links', page_id, ordinal, xmin::text FROM tidemark.links UNION ALL
    SELECT 'search_chunks', page_id, ordinal, xmin::text FROM tidemark.search_chunks`)
  return Object.fromEntries(rows.map(({ table, page_id, ordinal, xmin }) => [`${table} ${page_id} ${ordinal}`, xmin]))
}

describe.each(engines)('a full sync into %s', (engine) => {
  test('makes of every edited, emptied or added-to column and table what an import from nothing does', {
    timeout: 180_000,
  }, async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const fresh = (await readState(world)).derived
    const tamperings = await everyTampering(world.db)
    expect(tamperings.length).toBeGreaterThan(40)

    const notMended: string[] = []
    for (const { name, statement, losesIds } of tamperings) {
      const { ids } = await readState(world)
      await world.db.query(statement)
      expect(await world.sync({ full: true }), name).toMatchObject({ status: 'synced', warnings: [] })
      const after = await readState(world)
      if (!losesIds && !isDeepStrictEqual(after.ids, ids)) notMended.push(`${name}: ids`)
      if (isDeepStrictEqual(after.derived, fresh)) continue
      notMended.push(name)
      // The next one starts from what is right, whatever became of this one.
      await world.empty()
      await world.sync()
    }

    expect(notMended).toEqual([])
  })

  test('makes the search entries anew that were made of edited chunks', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const fresh = await readState(world)
    await world.db.query(`UPDATE tidemark.chunks SET content = 'edited', heading_path = ARRAY['edited']`)
    await world.db.query('TRUNCATE tidemark.search_chunks, tidemark.search_pages')
    await world.db.query('UPDATE tidemark.sources SET unindexed_since_run = 0')
    await world.sync()
    expect(JSON.stringify(await readSearchEntries(world.db, 'docs'))).toContain('edit')

    await world.sync({ full: true })

    expect(await readState(world)).toEqual(fresh)
  })

  test('writes a page again that says it was written later than now', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const fresh = await readState(world)
    await world.db.query(`UPDATE tidemark.pages SET content = 'edited', updated_at = now() + interval '1 day'`)

    expect(await world.sync({ full: true })).toMatchObject({ filesUpdated: 4 })

    expect(await readState(world)).toEqual(fresh)
    expect(await world.sync()).toMatchObject({ status: 'up_to_date' })
  })

  test('that was stopped is gone on with by one that was not asked to, which mends the rest', async () => {
    await using world = await testWorld({ engine })
    const pages = Array.from({ length: 200 }, (_, i) => [`${i}.md`, `# Page ${i}\n\n[[Page ${i + 1}]]`])
    await world.repository.commit(Object.fromEntries(pages))
    await world.sync()
    const fresh = await readState(world)
    await world.db.query(`UPDATE tidemark.chunks SET content = 'edited'`)
    await world.db.query(`UPDATE tidemark.links SET target_key = 'edited'`)
    const stop = new AbortController()
    const onProgress = ({ done }: { done: number }) => done > 0 && stop.abort()
    expect(await world.sync({ full: true, signal: stop.signal, onProgress })).toMatchObject({
      status: 'partial',
    })

    expect(await world.sync()).toMatchObject({ status: 'synced' })

    expect(await readState(world)).toEqual(fresh)
  })

  test('leaves the chunks, links and search entries alone that are as they should be', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const before = await rowVersions(world)

    expect(await world.sync({ full: true })).toMatchObject({ filesUpdated: 4 })

    expect(await rowVersions(world)).toEqual(before)
  })
})

describe.each(engines)('a newer parser in %s', (engine) => {
  test.each([
    ['what a link is matched by', `UPDATE tidemark.links SET target_key = 'old' WHERE kind = 'wiki'`],
    ['the path of a link', `UPDATE tidemark.links SET target_path = 'old.md' WHERE kind = 'link'`],
    ['the headings of a chunk', `UPDATE tidemark.chunks SET heading_path = '{}'`],
    ['what a page is matched by', `UPDATE tidemark.pages SET link_key = 'old'`],
    ['the title of a page', `UPDATE tidemark.pages SET title = 'old'`],
  ])('that changes only %s is applied', async (_, undo) => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const fresh = await readState(world)
    // As the parser before it had left everything.
    await world.db.query(undo)
    await world.db.query('UPDATE tidemark.pages SET parser_version = $1', [PARSER_VERSION - 1])
    await world.db.query('UPDATE tidemark.sources SET parser_version = $1', [PARSER_VERSION - 1])
    expect((await readState(world)).derived).not.toEqual(fresh.derived)

    expect(await world.sync()).toMatchObject({ status: 'synced', filesUpdated: 4 })

    expect(await readState(world)).toEqual(fresh)
  })
})

describe.each(engines)('an ordinary sync into %s', (engine) => {
  test('of a page that changed in one place writes the chunk, link and search entry of that place alone', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync()
    const before = await rowVersions(world)
    const start = FILES['guide/start.md'].replace('../README.md', '../other.md')
    await world.repository.commit({ ...FILES, 'guide/start.md': start })

    await world.sync()

    const after = await rowVersions(world)
    const { id } = (await world.db.query(`SELECT id FROM tidemark.pages WHERE path = 'guide/start.md'`)).rows[0]
    expect(Object.keys(after).filter((row) => after[row] !== before[row])).toEqual([
      `chunks ${id} 1`,
      `links ${id} 1`,
      `search_chunks ${id} 1`,
    ])
  })
})
