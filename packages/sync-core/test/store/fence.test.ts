import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { applyBatch } from '../../src/store/apply-batch.ts'
import { deleteOrphans } from '../../src/store/delete-orphans.ts'
import { deleteSource } from '../../src/store/delete-source.ts'
import { claimTexts } from '../../src/store/embeddings/claim-texts.ts'
import { storeEmbeddings } from '../../src/store/embeddings/store-embeddings.ts'
import { fencedQuery, queryWithFence } from '../../src/store/fenced-query.ts'
import { finishSource } from '../../src/store/finish-source.ts'
import { recordUnfinishedRun } from '../../src/store/record-unfinished-run.ts'
import { finishIndex, indexBatch } from '../../src/store/search/index-batch.ts'
import { startRun } from '../../src/store/start-run.ts'
import { scriptedFence } from '../world/scripted-database.ts'

describe('a statement under a fence', () => {
  test('begins with the fence, whose parameters come first', async () => {
    const { fenced, sent } = scriptedFence({}, [{ done: true }])
    expect(await fencedQuery(fenced, 'x AS (SELECT 1) SELECT', ['a', 2])).toEqual([{ done: true }])
    expect(sent).toMatchObject([
      { text: 'WITH fence AS MATERIALIZED (SELECT fence),\nx AS (SELECT 1) SELECT', params: ['key', '1', 'a', 2] },
    ])
    expect(await queryWithFence(scriptedFence({}, []).fenced, 'SELECT', [])).toEqual([])
  })

  test('that does not hold is the loss that the lease finds, or that it knows of', async () => {
    const loss = new Error('the lease is lost')
    const asked = scriptedFence({ refresh: () => Promise.reject(loss) }, [])
    await expect(fencedQuery(asked.fenced, 'SELECT', [])).rejects.toBe(loss)
    const known = scriptedFence({ refresh: async () => {}, signal: AbortSignal.abort(loss) }, [])
    await expect(fencedQuery(known.fenced, 'SELECT', [])).rejects.toBe(loss)
  })

  test('that does not hold though the lease does is told by the key', async () => {
    const { fenced } = scriptedFence({ refresh: async () => {}, signal: new AbortController().signal }, [])
    await expect(fencedQuery(fenced, 'SELECT', [])).rejects.toThrow('the fence of sync:docs did not hold')
  })
})

test('a batch says of each chunk and link whose and which it is, and what of quarantine is over', async () => {
  const { fenced, sent } = scriptedFence({}, [{}])
  const page = (slug: string, chunks: string[], links: string[]) =>
    ({
      slug,
      chunks: chunks.map((content) => ({ headingPath: [], content })),
      links: links.map((target) => ({ kind: 'markdown', target })),
    }) as never
  await applyBatch(fenced, 'docs', {
    pages: [
      { id: null, path: 'a.md', blobOid: 'a', sizeBytes: 1, page: page('a', ['one', 'two'], []) },
      { id: '7', path: 'b.md', blobOid: 'b', sizeBytes: 2, page: page('b', ['three'], ['a.md']) },
    ],
    quarantined: [{ path: 'q.md', blobOid: 'q', code: 'nul', message: 'm' }],
    deletedIds: ['8', '9'],
    quarantineCleared: ['gone.md'],
  })
  const [, , source, , pages, chunks, links, quarantined, deleted, cleared] = sent[0]!.params as string[]
  expect(source).toBe('docs')
  expect(JSON.parse(pages!)).toEqual([
    { n: 0, id: null, path: 'a.md', blobOid: 'a', sizeBytes: 1, slug: 'a', chunkCount: 2, linkCount: 0 },
    { n: 1, id: '7', path: 'b.md', blobOid: 'b', sizeBytes: 2, slug: 'b', chunkCount: 1, linkCount: 1 },
  ])
  expect(JSON.parse(chunks!)).toEqual([
    { n: 0, ordinal: 0, headingPath: [], content: 'one' },
    { n: 0, ordinal: 1, headingPath: [], content: 'two' },
    { n: 1, ordinal: 0, headingPath: [], content: 'three' },
  ])
  expect(JSON.parse(links!)).toEqual([{ n: 1, ordinal: 0, kind: 'markdown', target: 'a.md' }])
  expect(JSON.parse(quarantined!)).toEqual([{ path: 'q.md', blobOid: 'q', code: 'nul', message: 'm' }])
  expect(deleted).toBe('{8,9}')
  expect(JSON.parse(cleared!)).toEqual(['a.md', 'b.md', 'gone.md'])
})

test('orphans of each derived table are looked for page by page, to the last', async () => {
  const { fenced, sent } = scriptedFence(
    {},
    ...Array.from({ length: 4 }, () => [[], [{ last: '500' }], [{ last: null }]]).flat(),
  )
  let steps = 0
  await deleteOrphans(fenced, 'docs', () => steps++)
  expect(steps).toBe(8)
  expect(sent.map(({ text }) => /tidemark\.(\w+)/.exec(text)![1])).toEqual(
    ['chunks', 'links', 'search_chunks', 'search_pages'].flatMap((table) => [table, table, table]),
  )
  expect(sent.slice(1, 3).map(({ params }) => params)).toEqual([
    ['key', '1', 'docs', '-9223372036854775808', 5_000],
    ['key', '1', 'docs', '500', 5_000],
  ])
})

test('a run begins with all that the source is and what it works from, and ends with its commit', async () => {
  const source = { id: 'docs', repo: '/repo', ref: 'HEAD', fingerprint: 'f', language: 'english' }
  const { fenced, sent } = scriptedFence({}, [{ id: '7', unfinished: false }], [{}], [{}], [{}])
  expect(await startRun(fenced, source, { from: 'a', to: 'b', full: true })).toMatchObject({ id: '7' })
  await finishSource(fenced, source, { id: '7', commit: 'b', status: 'synced', counts: { filesImported: 1 } })
  await deleteSource(fenced, 'docs')
  await finishIndex(fenced, { sourceId: 'docs', language: 'english', paths: null }, '7')
  const parser = expect.any(Number)
  expect(sent.map(({ params }) => params.slice(2))).toEqual([
    ['docs', '/repo', 'HEAD', 'a', 'b', hostname(), process.pid, true, parser, 'f'],
    ['docs', '7', 'b', 'synced', '{"filesImported":1}', parser, 'f'],
    ['docs'],
    ['docs', 'english', '7'],
  ])
})

test('a run that ended before its end is recorded with its reason, or without one', async () => {
  const { fenced, sent } = scriptedFence({})
  await recordUnfinishedRun(fenced, 'docs', '7', { status: 'partial', reason: 'timeout' }, { filesImported: 1 })
  await recordUnfinishedRun(fenced, 'docs', '7', { status: 'blocked_by_failures' }, {})
  expect(sent.map(({ params }) => params.slice(2))).toEqual([
    ['docs', '7', 'partial', 'timeout', '{"filesImported":1}'],
    ['docs', '7', 'blocked_by_failures', null, '{}'],
  ])
})

describe('texts to be embedded', () => {
  const text = (pageId: string, ordinal: number, claimedByUs = true) => ({
    pageId,
    ordinal,
    hash: `${pageId}-${ordinal}`,
    content: 'c',
    claimedByUs,
  })

  test('are claimed in batches, each behind the last, without those of another run', async () => {
    const { fenced, sent } = scriptedFence(
      {},
      [text('1', 0), text('1', 1, false)],
      [text('2', 0, false)],
      [text('3', 4)],
      [{ pageId: null }],
    )
    const batches: string[][] = []
    for await (const claimed of claimTexts(fenced, 'docs', 'model-1', 10)) batches.push(claimed.map(({ hash }) => hash))
    expect(batches).toEqual([['1-0'], ['3-4']])
    expect(sent.map(({ params }) => params.slice(4))).toEqual([
      ['0', -1, 10],
      ['1', 1, 10],
      ['2', 0, 10],
      ['3', 4, 10],
    ])
  })

  test('are stored with their vectors, and those that were refused with the reason', async () => {
    const { fenced, sent } = scriptedFence({}, [{}])
    await storeEmbeddings(fenced, 'public.vector', {
      model: 'model-1',
      dimensions: 2,
      embedded: [{ hash: 'aa', vector: [1, 0.5] }],
      rejected: [{ hash: 'bb', message: 'too long' }],
    })
    expect(sent[0]!.params).toEqual([
      'key',
      '1',
      'model-1',
      2,
      '[{"hash":"aa","vector":"[1,0.5]"}]',
      '[{"hash":"bb","message":"too long"}]',
    ])
    expect(sent[0]!.text).toContain('vector::public.vector')
  })
})

test('the index is written for all pages, or for those at some paths', async () => {
  const { fenced, sent } = scriptedFence({}, [{ pages: 3, last: '7' }], [{ pages: 0, last: null }])
  const unindexed = { sourceId: 'docs', language: 'english' }
  expect(await indexBatch(fenced, { ...unindexed, paths: null }, '0', 10)).toEqual({ pages: 3, last: '7' })
  expect(await indexBatch(fenced, { ...unindexed, paths: ['a.md'] }, '7', 10)).toEqual({ pages: 0, last: null })
  expect(sent.map(({ params }) => params.slice(2))).toEqual([
    ['docs', 'english', '0', 10],
    ['docs', 'english', '7', 10, '["a.md"]'],
  ])
  expect(sent.map(({ text }) => text.includes('$7'))).toEqual([false, true])
})
