import { join } from 'node:path'
import { migrate, openDatabase, syncSource } from '@tidemark/sync-core'
import { type Corpus, cloneCorpus } from '../harness/corpus.ts'
import type { Check, Harness } from '../harness/harness.ts'
import { formatCount, formatPercent, renderFigures } from '../harness/tables.ts'

export interface LinksSettings {
  readonly corpora: readonly Corpus[]
}

/** Of the links and wiki links whose page exists, so many have to find it. */
const MIN_RESOLVED = 0.98

interface LinkFigures {
  readonly corpus: Corpus
  readonly links: number
  readonly resolved: number
  readonly wiki: number
  readonly wikiResolved: number
  /** Of both kinds, files of the repository that are no pages. */
  readonly files: number
  /** No page of the source has such a name, in a folder of such a name. */
  readonly nowhere: number
  /** Some page has, which may be another. */
  readonly missed: number
}

/** How many links of real repositories, of seven tools, find the page that they mean, and why the others do not. */
export async function benchLinks({ corpora }: LinksSettings, harness: Harness) {
  const db = await openDatabase(await harness.createDatabase('bench_links'))
  await using _closed = { [Symbol.asyncDispose]: () => db.close() }
  await migrate(db, { signal: harness.signal })
  const figures: LinkFigures[] = []
  for (const corpus of corpora) {
    harness.log(`links: ${corpus}`)
    const repo = join(harness.folder, 'links', `${corpus}.git`)
    await cloneCorpus(corpus, repo)
    await syncSource(db, { id: corpus, repo, ref: 'HEAD' }, { search: false, signal: harness.signal })
    const { rows } = await db.query<Omit<LinkFigures, 'corpus'>>(COUNT_LINKS, [corpus])
    figures.push({ corpus, ...rows[0]! })
  }
  const found = ({ resolved, wikiResolved }: LinkFigures) => resolved + wikiResolved
  const share = (links: LinkFigures) => found(links) / Math.max(1, found(links) + links.missed)
  const checks: Check[] = figures.map((links) => ({
    check: `links of ${links.corpus} whose page exists find it: at least ${formatPercent(MIN_RESOLVED)}`,
    passed: share(links) >= MIN_RESOLVED,
    observed: formatPercent(share(links)),
  }))
  const notes = [
    'links that name no other server and more than a section of their own page; no root of links is given',
    'another page may be meant: one exists that has its name and that of its folder',
  ]
  const table = renderFigures({ title: 'Links: of real repositories', notes }, figures, ({ corpus }) => corpus, {
    links: ({ links }) => formatCount(links),
    '  find a page': ({ resolved }) => formatCount(resolved),
    'wiki links': ({ wiki }) => formatCount(wiki),
    '  find a page ': ({ wikiResolved }) => formatCount(wikiResolved),
    'not: a file that is no page': ({ files }) => formatCount(files),
    'not: no page of that name': ({ nowhere }) => formatCount(nowhere),
    'not: another page may be meant': ({ missed }) => formatCount(missed),
  })
  return { figures, checks, table }
}

const COUNT_LINKS = /* sql */ `
WITH link AS (
  SELECT outlinks.kind, to_path, to_file, EXISTS (
    SELECT FROM tidemark.pages, LATERAL string_to_array(links.target_key, '/') AS parts
    WHERE pages.source_id = $1 AND (string_to_array(pages.link_key, '/'))[1:least(2, cardinality(parts))] = parts[1:2]
  ) AS is_named
  FROM tidemark.outlinks JOIN tidemark.links USING (source_id, page_id, ordinal)
  WHERE source_id = $1 AND target_key IS NOT NULL AND outlinks.kind <> 'image'
)
SELECT count(*) FILTER (WHERE kind = 'link')::integer AS links,
  count(*) FILTER (WHERE kind = 'link' AND to_path IS NOT NULL)::integer AS resolved,
  count(*) FILTER (WHERE kind = 'wiki')::integer AS wiki,
  count(*) FILTER (WHERE kind = 'wiki' AND to_path IS NOT NULL)::integer AS "wikiResolved",
  count(*) FILTER (WHERE to_path IS NULL AND to_file IS NOT NULL)::integer AS files,
  count(*) FILTER (WHERE to_path IS NULL AND to_file IS NULL AND NOT is_named)::integer AS nowhere,
  count(*) FILTER (WHERE to_path IS NULL AND to_file IS NULL AND is_named)::integer AS missed
FROM link`
