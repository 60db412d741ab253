import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Home, runTidemark, startTidemark } from './command-run.ts'

export interface KilledImport {
  /** Pages in the database when the killed run had gone, and when the next one was through. */
  readonly stored: number
  readonly pages: number
  /** Files that the next run read. */
  readonly read: number
  readonly resumeMs: number
}

/** Kills a first import with SIGKILL when it has about half of the pages, and lets another one go on with it. */
export async function killedImport(
  home: Home,
  { url, sources, pages }: { url: string; sources: readonly string[]; pages: number },
): Promise<KilledImport> {
  // Where the server ends first, the next query says so.
  const client = new pg.Client({ connectionString: url }).on('error', () => {})
  await client.connect()
  try {
    const count = async (what: string) => Number((await client.query(`SELECT count(*) ${what}`)).rows[0].count)
    const stored = () => count('FROM tidemark.pages')
    await startTidemark(['migrate', '--quiet'], home)
    const importing = startTidemark(['sync', '--all', '--quiet'], home)
    const ended = importing.then(
      () => true,
      () => true,
    )
    let over = false
    void ended.then(() => {
      over = true
    })
    while (!over && (await stored()) < pages / 2) await sleep(20)
    importing.kill('SIGKILL')
    await ended
    // The server may still be at a statement of the dead process.
    const left = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'`
    while ((await count(left)) > 0) await sleep(20)
    const before = await stored()
    await startTidemark(['sync', '--force-break-lock', '--quiet', ...sources.flatMap((id) => ['--source', id])], home)
    const { ms, results } = await runTidemark(['sync', '--all'], home)
    const read = results.reduce((sum, { blobsRead }) => sum + blobsRead, 0)
    return { stored: before, pages: await stored(), read, resumeMs: ms }
  } finally {
    await client.end()
  }
}
