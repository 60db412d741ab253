import { type Engine, type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { computeDigest, readContents } from '@tidemark/test-engines/contents'
import { afterAll } from 'vitest'
import {
  type Database,
  migrate,
  openDatabase,
  type Source,
  type SyncOptions,
  type SyncResult,
  syncSource,
} from '../../src/index.ts'
import { emptyRepository, type TestRepository } from './test-repository.ts'

/** A migrated database, a repository and the source `docs` that is to connect them. */
export interface TestWorld extends AsyncDisposable {
  readonly db: Database
  readonly url: string
  readonly repository: TestRepository
  /** Of the source `docs`, unless another is named. */
  sync(options?: SyncOptions & Partial<Source>): Promise<SyncResult>
  /** What the database holds, `path → blob`. */
  pages(): Promise<Record<string, string>>
  /** The ids of the pages, `path → id`. */
  ids(): Promise<Record<string, string>>
  /** Everything that is derived from the pages, in one order, without what depends on when it was made. */
  contents(): Promise<unknown[]>
  /** A digest of that, for sources too large to be compared row by row. */
  digest(): Promise<string>
  /** Forgets everything, as if no run had ever been. */
  empty(): Promise<void>
}

// One database an engine and test file, emptied between tests: opening a PGlite takes a second.
const opened = new Map<Engine, Promise<{ db: Database; database: FreshDatabase }>>()

afterAll(async () => {
  for (const opening of opened.values()) {
    const { db, database } = await opening
    await db.close()
    await database.drop()
  }
})

async function open(engine: Engine) {
  const database = await freshDatabase(engine)
  const db = await openDatabase(database.url)
  await migrate(db)
  return { db, database }
}

export async function testWorld(options: { engine: Engine; repository?: TestRepository }): Promise<TestWorld> {
  const { engine, repository = await emptyRepository() } = options
  if (!opened.has(engine)) opened.set(engine, open(engine))
  const { db, database } = await opened.get(engine)!
  const map = async (column: string) => {
    const { rows } = await db.query(`SELECT path, ${column} AS value FROM tidemark.pages WHERE source_id = 'docs'`)
    return Object.fromEntries(rows.map(({ path, value }) => [path, value]))
  }
  const empty = async () => {
    await db.query(`TRUNCATE ${TABLES.map((table) => `tidemark.${table}`).join(', ')}`)
    await db.query('DROP TABLE IF EXISTS tidemark.embeddings')
  }
  return {
    db,
    url: database.url,
    repository,
    sync({
      id = 'docs',
      ref = 'main',
      subpath,
      include,
      exclude,
      extensions,
      linkRoot,
      maxFiles,
      language,
      ...options
    } = {}) {
      const selection = { subpath, include, exclude, extensions, linkRoot, maxFiles }
      const source = { id, repo: repository.folder, ref, ...selection, language }
      return syncSource(db, source, options)
    },
    pages: () => map('blob_oid'),
    ids: () => map('id'),
    contents: () => readContents(db, 'docs'),
    digest: () => computeDigest(db, 'docs'),
    empty,
    async [Symbol.asyncDispose]() {
      repository.remove()
      await empty()
    },
  }
}

const TABLES = ['sources', 'pages', 'deleted_pages', 'renamed_pages', 'chunks', 'links', 'quarantine', 'runs', 'locks']
  .concat(['aliases', 'files', 'search_pages', 'search_chunks'])
  .concat(['embedding_models', 'embedding_claims', 'embedding_quarantine'])
