import { describe, expect, test } from 'vitest'
import { collectEmbeddings } from '../../src/store/embeddings/collect-embeddings.ts'
import { completeModel, countMissing } from '../../src/store/embeddings/models.ts'
import { readVectorIndex } from '../../src/store/embeddings/vector-index.ts'
import { checkVectors, prepareVectors, vectorSpace } from '../../src/store/embeddings/vector-space.ts'
import { type Answer, coded, scriptedDatabase } from '../world/scripted-database.ts'

const NO_TABLE = coded('42P01', 'relation "tidemark.embeddings" does not exist')

/** What pgvector says of itself. */
const extension = (version = '0.8.1', operatorClasses = ['vector_cosine_ops', 'halfvec_cosine_ops']) => [
  { schema: 'ext', version, operatorClasses },
]

describe('a set of embeddings', () => {
  const set = (completedAt: Date | null) => ({ model: 'model-1', dimensions: 384, completedAt })
  const other = { model: 'model-2', dimensions: 384, completedAt: null }
  const complete = async (...answers: Answer[]) => {
    const { db, sent } = scriptedDatabase(...answers)
    const completed = await completeModel(db, 'model-1')
    return { completed: completed?.model ?? null, marked: sent.filter(({ text }) => text.startsWith('UPDATE')) }
  }

  test('that nobody has begun, or that lacks a text, is not complete', async () => {
    const incomplete = { completed: null, marked: [] }
    expect(await complete([other])).toEqual(incomplete)
    expect(await complete([other, set(null)], [{ chunks: 1, characters: 5 }])).toEqual(incomplete)
  })

  test('is complete with its last text, and stays so', async () => {
    const last = await complete([set(null)], [{ chunks: 0, characters: 0 }])
    expect(last).toMatchObject({ completed: 'model-1', marked: [{ params: ['model-1'] }] })
    expect(await complete([set(new Date())])).toEqual({ completed: 'model-1', marked: [] })
  })
})

describe('the index of a set', () => {
  const read = (row: object, dimensions = 1_536, pgvector = extension()) =>
    readVectorIndex(scriptedDatabase(pgvector, [row]).db, { model: 'm', dimensions })
  const of = (vectors: number, memory = 65_536) => ({ valid: null, literal: "'m'", vectors, memory })

  test('is built or not, and one that is not valid is not', async () => {
    expect(await read({ ...of(1), valid: true })).toEqual({ status: 'built' })
    expect(await read({ ...of(1), valid: false })).toMatchObject({ status: 'missing', invalid: true })
    expect(await read(of(1))).toEqual({
      status: 'missing',
      invalid: false,
      name: expect.stringMatching(/^embeddings_[0-9a-f]{16}$/),
      table: 'tidemark.embeddings',
      definition: "USING hnsw (((embedding)::ext.vector(1536)) ext.vector_cosine_ops) WHERE model = 'm'",
      memory: null,
    })
  })

  test.each([
    ['what its graph takes', 84_000, 65_536, /^6\d{5}kB$/],
    ['a gigabyte of many vectors', 10_000_000, 65_536, /^1048576kB$/],
  ])('gets %s as memory', async (_, vectors, configured, memory) => {
    expect(await read(of(vectors, configured))).toMatchObject({ memory: expect.stringMatching(memory) })
  })

  test('gets no less memory than the server is configured to give', async () => {
    expect(await read(of(84_000, 1_000_000))).toMatchObject({ memory: null })
  })

  test.each([
    ['0.8.1', 4_001, 'pgvector indexes vectors of at most 4000 dimensions, and these have 4001', undefined],
    ['0.6.2', 2_001, /^pgvector 0\.6\.2 .* at most 2000 .* have 2001; 0\.7 or newer/, ['vector_cosine_ops']],
    ['0.4.4', 8, /^pgvector 0\.4\.4 has no index that suits; 0\.5 or newer has/, []],
  ])('cannot be by pgvector %s of %i dimensions, which is said', async (version, dimensions, impossible, classes) => {
    expect(await read({}, dimensions, extension(version, classes))).toEqual({
      status: 'impossible',
      impossible: expect.stringMatching(impossible),
    })
  })
})

describe('what is left to embed', () => {
  test('is counted, also where nothing was ever embedded or synced', async () => {
    expect(await countMissing(scriptedDatabase([{ chunks: 2, characters: 9 }]).db, 'm', 'docs')).toEqual({
      chunks: 2,
      characters: 9,
    })
    const first = scriptedDatabase(NO_TABLE, [{ chunks: 3, characters: 7 }])
    expect(await countMissing(first.db, 'm', null)).toEqual({ chunks: 3, characters: 7 })
    expect(first.sent.map(({ params }) => params)).toEqual([[null, 'm'], [null]])
    expect(first.sent.map(({ text }) => text.includes('tidemark.embeddings'))).toEqual([true, false])
    expect(await countMissing(scriptedDatabase(NO_TABLE, NO_TABLE).db, 'm', 'docs')).toEqual({
      chunks: 0,
      characters: 0,
    })
  })
})

describe('a collection', () => {
  test('deletes, or counts where that is all that is wanted, and finds nothing where there is no table', async () => {
    const { signal } = new AbortController()
    const found = { embeddings: 3, models: ['old'] }
    const { db, sent } = scriptedDatabase([found], [found], NO_TABLE)
    expect(await collectEmbeddings(db, 'm')).toEqual(found)
    expect(await collectEmbeddings(db, 'm', { dryRun: true, signal })).toEqual(found)
    expect(await collectEmbeddings(db, 'm')).toEqual({ embeddings: 0, models: [] })
    expect(sent.map(({ text }) => text.includes('DELETE'))).toEqual([true, false, true])
    expect(sent.map((each) => each.signal)).toEqual([undefined, signal, undefined])
    expect(sent.map(({ params }) => params)).toEqual([['m'], ['m'], ['m']])
  })
})

describe('vectors', () => {
  test.each([
    [1, 'vector'],
    [2_000, 'vector'],
    [2_001, 'halfvec'],
    [4_000, 'halfvec'],
  ])('of %i numbers are indexed as the type %s', async (dimensions, type) => {
    const space = await vectorSpace(scriptedDatabase(extension()).db, dimensions)
    expect(space).toMatchObject({ type: 'ext.vector', operator: 'OPERATOR(ext.<=>)' })
    expect(space.cast('x')).toBe(`(x)::ext.${type}(${dimensions})`)
    expect(space.index).toEqual({ operatorClass: `ext.${type}_cosine_ops` })
  })

  const nothing = {
    installed: null,
    available: null,
    mayInstall: null,
    major: 15,
    server: 'PostgreSQL 15.20 on x86_64',
  }
  const missing = { code: 'VECTOR_MISSING', message: 'postgres at here has no pgvector, which holds embeddings' }

  test.each([
    ['PostgreSQL 17.2 (Debian 17.2-1.pgdg120+1) on x86_64', 17, 'server: apt install postgresql-17-pgvector'],
    ['PostgreSQL 17.6 (Debian 17.6-0+deb13u1) on x86_64', 17, 'server: apt install postgresql-17-pgvector'],
    ['PostgreSQL 16.4 (Ubuntu 16.4-0ubuntu0.24.04.1) on x86_64', 16, 'server: apt install postgresql-16-pgvector'],
    [
      'PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64',
      15,
      'server, from apt.postgresql.org: apt install postgresql-15-pgvector',
    ],
    ['PostgreSQL 18.4 on x86_64-pc-linux-gnu', 18, 'server: https://github.com/pgvector/pgvector#installation'],
  ])('need a package of pgvector that is named where there is one: %s', async (server, major, install) => {
    expect(await checkVectors(scriptedDatabase([{ ...nothing, major, server }]).db)).toEqual({
      status: 'absent',
      install: `Install it on the ${install}`,
    })
  })

  test('tell what is installed from what is available, and who may install it', async () => {
    const both = { ...nothing, available: '0.8.1', mayInstall: false }
    expect(await checkVectors(scriptedDatabase([both]).db)).toEqual({
      status: 'available',
      version: '0.8.1',
      mayInstall: false,
    })
    expect(await checkVectors(scriptedDatabase([{ ...both, installed: '0.6.2' }]).db)).toEqual({
      status: 'installed',
      version: '0.6.2',
    })
  })

  test('need pgvector, and it is said how to come by it', async () => {
    await expect(vectorSpace(scriptedDatabase([]).db, 3)).rejects.toMatchObject({
      ...missing,
      hint: 'Run: tidemark embed --all',
    })
    const none = scriptedDatabase([{ made: false }], [nothing])
    await expect(prepareVectors(none.db)).rejects.toMatchObject({
      ...missing,
      hint: expect.stringMatching(/^Install it .* and run this again\. All but embeddings works without\.$/),
    })
    const forbidden = coded('42501')
    const refused = scriptedDatabase([{ made: false }], [{ ...nothing, available: '0.8.1' }], forbidden)
    await expect(prepareVectors(refused.db)).rejects.toMatchObject({
      ...missing,
      hint: 'Have its owner run: CREATE EXTENSION vector',
      cause: forbidden,
    })
  })

  test('have a table that is made once, and what fails otherwise fails as it is', async () => {
    const made = scriptedDatabase([{ made: true }])
    await prepareVectors(made.db)
    expect(made.sent).toHaveLength(1)
    const making = scriptedDatabase([{ made: false }], [{ ...nothing, available: '0.8.1' }])
    await prepareVectors(making.db)
    expect(making.sent[2]!.text).toContain('CREATE EXTENSION IF NOT EXISTS vector')
    // Where the extension is there, it is the table that this role may not make.
    for (const [installed, error] of [
      [null, coded('53100')],
      ['0.8.1', coded('42501')],
    ] as const) {
      const answer = { ...nothing, available: '0.8.1', installed }
      await expect(prepareVectors(scriptedDatabase([{ made: false }], [answer], error).db)).rejects.toBe(error)
    }
  })
})
