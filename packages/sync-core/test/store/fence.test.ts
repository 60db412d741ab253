import { describe, expect, test } from 'vitest'
import { claimTexts } from '../../src/store/embeddings/claim-texts.ts'
import { storeEmbeddings } from '../../src/store/embeddings/store-embeddings.ts'
import { fencedQuery, queryWithFence } from '../../src/store/fenced-query.ts'
import { recordUnfinishedRun } from '../../src/store/record-unfinished-run.ts'
import { scriptedFence } from '../world/scripted-database.ts'

describe('a statement under a fence', () => {
  test('begins with the fence, whose parameters come first', async () => {
    const { fenced, sent } = scriptedFence({}, [{ done: true }])
    expect(await fencedQuery(fenced, 'x AS (SELECT 1) SELECT', ['a', 2])).toEqual([{ done: true }])
    expect(sent).toMatchObject([
      {
        text: expect.stringMatching(
          /^WITH fence AS MATERIALIZED \(SELECT .* FROM \(SELECT fence\) AS held\),\nx AS \(SELECT 1\) SELECT$/,
        ),
        params: ['key', '1', 'a', 2],
      },
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

test('a run that ended before its end is recorded with its reason, or without one', async () => {
  const { fenced, sent } = scriptedFence({})
  await recordUnfinishedRun(fenced, 'docs', '7', {
    outcome: { status: 'partial', reason: 'timeout' },
    detail: undefined,
    counts: { filesImported: 1 },
  })
  await recordUnfinishedRun(fenced, 'docs', '7', {
    outcome: { status: 'blocked_by_failures' },
    detail: { message: 'too many' },
    counts: {},
  })
  expect(sent.map(({ params }) => params.slice(2))).toEqual([
    ['docs', '7', 'partial', 'timeout', '{"filesImported":1}', null, null],
    ['docs', '7', 'blocked_by_failures', null, '{}', 'too many', null],
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
      ['0', -1, 10, false],
      ['1', 1, 10, false],
      ['2', 0, 10, false],
      ['3', 4, 10, false],
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
