import { describe, expect, test } from 'vitest'
import { collectEmbeddings } from '../../src/store/embeddings/collect-embeddings.ts'
import { completeModel, countMissing } from '../../src/store/embeddings/models.ts'
import { checkVectors, prepareVectors, vectorSpace } from '../../src/store/embeddings/vector-space.ts'
import { type Answer, coded, scriptedDatabase } from '../world/scripted-database.ts'

const NO_TABLE = coded('42P01', 'relation "tidemark.embeddings" does not exist')

describe('a set of embeddings', () => {
  const set = (completedAt: Date | null, dimensions = 384) => ({ model: 'model-1', dimensions, completedAt })
  const other = { model: 'model-2', dimensions: 384, completedAt: null }
  const space = [{ schema: 'public' }]
  const complete = async (...answers: Answer[]) => {
    const { db, sent } = scriptedDatabase(...answers)
    await completeModel(db, 'model-1')
    for (const { text, params } of sent) if (text.startsWith('UPDATE')) expect(params).toEqual(['model-1'])
    return sent.map(({ text }) => text.trim().split(/\s/).slice(0, 2).join(' '))
  }
  const [READ, COUNT, LOOK] = ['SELECT model,', 'SELECT count(*)::integer', 'SELECT to_regclass($1)']
  const [SPACE, MARK] = ['SELECT', 'UPDATE tidemark.embedding_models']

  test('that nobody has begun, or that lacks a text, is not complete', async () => {
    expect(await complete([other])).toEqual([READ])
    expect(await complete([other, set(null)], [{ chunks: 1, characters: 5 }])).toEqual([READ, COUNT])
  })

  test('is complete with its last text, and gets its index then', async () => {
    const made = await complete([set(null)], [{ chunks: 0, characters: 0 }], [], space, [
      { made: false, model: "'model-1'" },
    ])
    expect(made.slice(0, 3)).toEqual([READ, COUNT, MARK])
    expect(made[4]).toBe(LOOK)
    expect(made[5]).toMatch(/^DO \$embeddings_[0-9a-f]{16}\$$/)
    expect(made).toHaveLength(6)
  })

  test('that is complete gets the index that it lacks, and no other', async () => {
    expect(await complete([set(new Date())], space, [{ made: true, model: "'model-1'" }])).toHaveLength(3)
    const { db, sent } = scriptedDatabase([set(new Date())], space, [{ made: false, model: "'model-1'" }])
    await completeModel(db, 'model-1')
    expect(sent[2]!.params).toEqual([expect.stringMatching(/^tidemark\.embeddings_[0-9a-f]{16}$/), 'model-1'])
    expect(sent[3]!.text).toContain(
      "ON tidemark.embeddings USING hnsw (((embedding)::public.vector(384)) public.vector_cosine_ops) WHERE model = 'model-1'",
    )
  })

  test('whose vectors are too long for an index has none', async () => {
    expect(await complete([set(new Date(), 4_001)], space)).toEqual([READ, expect.stringContaining(SPACE!)])
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
    [1, 'vector', true],
    [2_000, 'vector', true],
    [2_001, 'halfvec', true],
    [4_000, 'halfvec', true],
    [4_001, 'vector', false],
  ])('of %i numbers are of the type %s', async (dimensions, type, indexed) => {
    const space = await vectorSpace(scriptedDatabase([{ schema: 'ext' }]).db, dimensions)
    expect(space).toMatchObject({ type: 'ext.vector', operator: 'OPERATOR(ext.<=>)' })
    expect(space.cast('x')).toBe(`(x)::ext.${type}(${dimensions})`)
    expect(space.operatorClass).toBe(indexed ? `ext.${type}_cosine_ops` : null)
  })

  test('need pgvector, and it is said how to come by it', async () => {
    const missing = { code: 'VECTOR_MISSING', message: 'postgres at here has no pgvector, which holds embeddings' }
    await expect(vectorSpace(scriptedDatabase([{ schema: null }]).db, 3)).rejects.toMatchObject({
      ...missing,
      hint: 'Run: tidemark embed --all',
    })
    const install = 'Install it on the server (Debian and Ubuntu: apt install postgresql-18-pgvector)'
    expect(await checkVectors(scriptedDatabase([{ available: false, major: 18 }]).db)).toBe(install)
    expect(await checkVectors(scriptedDatabase([{ available: true, major: 18 }]).db)).toBeNull()
    const none = scriptedDatabase([{ made: false }], [{ available: false, major: 18 }])
    await expect(prepareVectors(none.db)).rejects.toMatchObject({
      ...missing,
      hint: `${install} and run this again. All but embeddings works without.`,
    })
    const forbidden = coded('42501')
    const refused = scriptedDatabase([{ made: false }], [{ available: true, major: 18 }], forbidden)
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
    const making = scriptedDatabase([{ made: false }], [{ available: true, major: 18 }])
    await prepareVectors(making.db)
    expect(making.sent[2]!.text).toContain('CREATE EXTENSION IF NOT EXISTS vector')
    const full = coded('53100')
    await expect(
      prepareVectors(scriptedDatabase([{ made: false }], [{ available: true, major: 18 }], full).db),
    ).rejects.toBe(full)
  })
})
