import { setTimeout as sleep } from 'node:timers/promises'
import { withClient } from '../harness/harness.ts'
import { sum } from '../harness/statistics.ts'
import type { Command } from './command.ts'
import { SOURCE_IDS } from './generate-sources.ts'

/** Kills a first import with SIGKILL when it has about half of the pages, and lets another one go on with it. */
export function killImport(command: Command, url: string, pages: number) {
  return withClient(url, async (db) => {
    // If the server stops first, the next query fails.
    db.on('error', () => {})
    const count = async (from: string) => Number((await db.query(`SELECT count(*) FROM ${from}`)).rows[0].count)
    const countStored = () => count('tidemark.pages')
    await command.run('migrate', '--quiet')
    const { child, ended } = command.start('sync', '--all', '--quiet')
    while (child.exitCode === null && child.signalCode === null && (await countStored()) < pages / 2) await sleep(20)
    child.kill('SIGKILL')
    await ended
    // The server may still be running a statement of the dead process.
    const sessions = `pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'`
    while ((await count(sessions)) > 0) await sleep(20)
    const stored = await countStored()
    await command.run('sync', '--force-break-lock', '--quiet', ...SOURCE_IDS.flatMap((id) => ['--source', id]))
    const { ms, results } = await command.sync()
    const read = sum(results.map(({ blobsRead }) => blobsRead))
    const pagesAfter = await countStored()
    /** Pages in the database when the killed run had gone and when the next one was through, and files that it read. */
    return { stored, pages: pagesAfter, read, readAgain: read - (pagesAfter - stored), resumeMs: ms }
  })
}
