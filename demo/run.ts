/**
 * The guided demonstration of `npm start`: mirrors the Vite documentation into an embedded database in `.demo/`,
 * is stopped by a budget that is too small, goes on, and follows the source when it moves.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { type Database, migrate, openDatabase, type SyncResult, search, syncSource } from '@tidemark/sync-core'
import { isolatedGit } from '@tidemark/test-engines/git'
import Table from 'cli-table3'

const BUNDLE = fileURLToPath(new URL('vite.bundle', import.meta.url))
const FOLDER = fileURLToPath(new URL('../.demo', import.meta.url))
const REPOSITORY = `${FOLDER}/vite.git`
const DATABASE = `${FOLDER}/.tidemark/db`
const SOURCE = { id: 'vite', repo: REPOSITORY, ref: 'main' }

/** How many of the bundle's commits the source has not made yet when the demonstration begins. */
const COMMITS_TO_COME = 5

const say = (text: string) => console.log(`\n${styleText('bold', `▸ ${text}`)}`)

async function main(): Promise<void> {
  const started = performance.now()
  say('A source: the documentation of Vite, a git repository of Markdown files, as it was some commits ago')
  const newest = await prepareSource()

  say('A database: PGlite, an embedded Postgres, in .demo/.tidemark/db')
  const db = await openDatabase(DATABASE)
  try {
    await migrate(db)
    say('A first sync with too small a budget: it stops in time and keeps what it has')
    await syncUntilStoppedWithSomething(db)

    say('The next run compares what is there with what should be, and reads only what is left')
    report(await syncSource(db, SOURCE))

    say(`The source moves on by ${COMMITS_TO_COME} commits; the next run brings the difference`)
    await isolatedGit(REPOSITORY).raw('update-ref', 'refs/heads/main', newest)
    report(await syncSource(db, SOURCE))

    say('Nothing new? Then nothing is read, written or locked')
    report(await syncSource(db, SOURCE))

    await showRuns(db)
    await showPage(db)
    await showSearch(db)
  } finally {
    await db.close()
  }
  showWhereToGo(performance.now() - started)
}

/** Clones the bundle anew, some commits behind, and returns the commit that is still to come. */
async function prepareSource(): Promise<string> {
  // Whatever an earlier demonstration left, finished or not.
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  await isolatedGit(FOLDER).clone(BUNDLE, REPOSITORY, ['--bare'])
  const git = isolatedGit(REPOSITORY)
  const newest = await git.revparse('main')
  await git.raw('update-ref', 'refs/heads/main', `main~${COMMITS_TO_COME}`)
  writeFileSync(`${FOLDER}/tidemark.yaml`, `sources:\n  vite:\n    repo: vite.git\n    ref: main\n`)
  return newest
}

/** Finds the budget for this machine by trying: long enough to store something, too short to finish. */
async function syncUntilStoppedWithSomething(db: Database): Promise<void> {
  for (let budgetMs = 100; ; budgetMs *= 1.5) {
    const result = await syncSource(db, SOURCE, { budgetMs: Math.round(budgetMs) })
    report(result)
    if (result.status !== 'partial' || result.filesImported > 0) return
  }
}

function report(result: SyncResult): void {
  const { status, filesImported, filesUpdated, filesRenamed, filesDeleted, filesRemaining, elapsedMs } = result
  const why = 'reason' in result ? ` (${result.reason})` : ''
  const files = `+${filesImported} ~${filesUpdated} →${filesRenamed} −${filesDeleted}, ${filesRemaining ?? '?'} left`
  const style = status === 'partial' ? 'yellow' : status === 'failed' ? 'red' : 'green'
  console.log(`  ${styleText(style, status + why)}  ${files}, ${elapsedMs} ms`)
  if (result.status === 'failed') throw new Error(`${result.error.message}. ${result.error.hint}`)
}

async function showRuns(db: Database): Promise<void> {
  say('The runs, as the database remembers them')
  const { rows } = await db.query(`
    SELECT status, coalesce(reason, '') AS reason, left(to_commit, 10) AS commit, counts->>'filesImported' AS added,
      counts->>'filesUpdated' AS changed, counts->>'filesRenamed' AS renamed, counts->>'filesDeleted' AS deleted,
      counts->>'elapsedMs' AS ms
    FROM tidemark.runs ORDER BY id`)
  const table = new Table({ head: Object.keys(rows[0]), style: { head: [], border: [], compact: true } })
  for (const row of rows) table.push(Object.values(row))
  console.log(table.toString())
}

async function showPage(db: Database): Promise<void> {
  const { rows } = await db.query(`
    SELECT id, path, title, size_bytes,
      (SELECT count(*) FROM tidemark.chunks WHERE chunks.source_id = pages.source_id AND page_id = pages.id) AS chunks
    FROM tidemark.pages WHERE path LIKE '%guide/index.md' OR path LIKE '%guide/features.md' ORDER BY path LIMIT 1`)
  const page = rows[0]
  say(`A page: ${page.title}`)
  console.log(`  ${page.path}, ${page.size_bytes} bytes, ${page.chunks} chunks; it links to these pages:`)
  const { rows: links } = await db.query(
    `SELECT DISTINCT target.path, target.title FROM tidemark.links
     JOIN tidemark.pages AS target ON target.source_id = links.source_id
       AND target.path IN (links.target_path, links.target_path || '.md')
     WHERE links.source_id = 'vite' AND links.page_id = $1 ORDER BY 1 LIMIT 8`,
    [page.id],
  )
  for (const { path, title } of links) console.log(`    ${path}  ${styleText('dim', title)}`)
}

async function showSearch(db: Database): Promise<void> {
  const words = 'proxy websocket'
  say(`A search: ${words}`)
  for (const { title, path, headingPath, excerpt, matches } of (await search(db, words, { limit: 3 })).hits) {
    console.log(`  ${styleText('bold', title)}  ${path}  ${styleText('dim', headingPath.join(' › '))}`)
    console.log(`    ${highlighted(excerpt, matches)}`)
  }
}

function highlighted(text: string, matches: readonly { start: number; end: number }[]): string {
  // From the last one, so that the places of the others stay.
  return matches.reduceRight(
    (marked, { start, end }) =>
      marked.slice(0, start) + styleText('yellow', marked.slice(start, end)) + marked.slice(end),
    text,
  )
}

function showWhereToGo(elapsedMs: number): void {
  say(`Done in ${(elapsedMs / 1000).toFixed(1)} s. Where to go from here`)
  console.log(`  cd .demo && npx tidemark status      what you have just made, by the command
  npx tidemark sync --all              bring it up to date again
  npx tidemark search <words>          find pages
  npx tidemark init                    in a folder of your own; DATABASE_URL for a Postgres
  README.md                            what it promises, and what it does not`)
}

// The runs stop by themselves at any moment, and the next demonstration begins anew.
process.on('SIGINT', () => process.exit(130))

try {
  await main()
} catch (error) {
  console.error(`\nThe demonstration has failed: ${(error as Error).message}`)
  process.exitCode = 1
}
