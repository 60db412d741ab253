import { allEngines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { corpora } from '../world/corpora.ts'
import { cloneBundle } from '../world/test-repository.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const { bundle } = corpora()[0]!

const broken = async ({ db }: TestWorld) =>
  (await db.query('SELECT path, target FROM tidemark.broken_links ORDER BY path, target')).rows

/** The same by the view that says what each link means. */
const meaningless = async ({ db }: TestWorld) =>
  (
    await db.query(`SELECT path, target FROM tidemark.outlinks JOIN tidemark.links USING (source_id, page_id, ordinal, target)
      WHERE to_path IS NULL AND to_file IS NULL AND (target_key IS NOT NULL OR links.target_path IS NOT NULL)
      ORDER BY path, target`)
  ).rows

/** Links that are found in one way each, and those that would be if they meant something else. */
const FILES = {
  'docs/guide/start.md': '---\naliases: [Beginning]\n---\n# Start',
  'docs/guide/README.md': '# Guide',
  'docs/logo.png': '',
  'docs/assets/only/file.txt': '',
  'docs/bad.md': 'a\0b',
  'site/en/page.md': '[a](/other) [b](/nothing) [c](/docs/guide/start)',
  'site/en/other.md': '# Other',
  'site/de/lost.md': '[a](/page) [b](/alone)',
  'links.md': [
    '[[start]] [[guide/start]] [[Beginning]] [[nowhere]] [[guide/nowhere]] [[logo.png]] [[no.png]]',
    '[a](docs/guide/start.md) [b](docs/guide/start) [c](docs/guide/start.html) [d](docs/guide) [e](docs/guide/)',
    '[f](docs/assets) [g](docs/logo.png) [h](docs/bad.md) [i](docs/other.md) [j](docs/guide/gone.html) [k](/docs/guide/start.md)',
    '[l](/guide/start) [m](/gone) [n](https://example.org/x) [o](#there) [p](Docs/Guide/START.md) [q](docs/assets/none)',
  ].join('\n\n'),
}

describe.each(allEngines)('broken links in %s', { timeout: 180_000 }, (engine) => {
  test.each([undefined, 'docs', 'site'])('are those that mean nothing, where links begin in %s', async (linkRoot) => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    await world.sync({ linkRoot })
    expect(await broken(world)).toEqual(await meaningless(world))
    const targets = (await broken(world)).map(({ target }) => target)
    expect(targets).toEqual(expect.arrayContaining(['nowhere', 'no.png', 'docs/other.md', '/gone', 'docs/assets/none']))
    for (const target of ['start', 'Beginning', 'docs/assets', 'docs/bad.md', 'https://example.org/x', '#there'])
      expect(targets).not.toContain(target)
    await world.repository.commit({ ...FILES, 'nowhere.md': '', 'docs/guide/start.md': '# Start' })
    await world.sync({ linkRoot })
    expect(await broken(world)).toEqual(await meaningless(world))
    expect((await broken(world)).map(({ target }) => target)).toContain('Beginning')
  })

  test('of the vite corpus are those that mean nothing, found by joins alone', async () => {
    await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
    await world.sync()
    const links = await broken(world)
    expect(links.length).toBeGreaterThan(0)
    expect(links).toEqual(await meaningless(world))
    const plan = async (condition: string) => {
      const { rows } = await world.db.query(`EXPLAIN SELECT * FROM tidemark.broken_links WHERE ${condition}`)
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    }
    expect(await plan("source_id = 'docs'")).toContain('Anti Join')
    expect(await plan("source_id = 'docs'")).not.toMatch(/SubPlan|Function Scan|Limit/)
    // Of all sources: a join by the source alone compares each link with each page, in minutes.
    await world.db.query('SET enable_nestloop = off')
    expect(await plan('true')).not.toMatch(/Cond: \(link\.source_id = goal\w*\.source_id\)/)
  })
})
