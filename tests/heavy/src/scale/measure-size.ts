import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GeneratedSource, generateSource } from '../harness/generate-source.ts'
import { moveMain } from '../harness/git.ts'
import { type Harness, withClient } from '../harness/harness.ts'
import { freeLeases, type ProcessOptions, runProcess, runTidemark, startProcess, TIDEMARK } from '../harness/process.ts'
import { median, sum } from '../harness/statistics.ts'
import { formatCount, formatMs } from '../harness/tables.ts'

const SOURCE_IDS = ['default', 'straylight', 'zion', 'media']

/** Files of the commits that come after the first, all of them to the first source. */
export const CHANGES = [50, 200, 500]

const NOOPS = 5

export type SizeFigures = Awaited<ReturnType<typeof measureSize>>

/** What the command takes with so many pages; milliseconds are those of the whole process unless it says otherwise. */
export async function measureSize(size: number, { folder: home, ...harness }: Harness) {
  const { signal, seed, createDatabase } = harness
  const log = (text: string) => harness.log(`scale: ${formatCount(size)} pages: ${text}`)
  const folder = join(home, `scale-${size}`)
  log('generating the sources')
  const [source] = await generateSources(folder, size, seed)
  const optionsFor = (url: string) => ({ cwd: folder, env: { ...process.env, DATABASE_URL: url }, signal })
  const options = optionsFor(await createDatabase(`scale_${size}`))
  const sync = () => syncAll(options)

  log('first import')
  const first = await sync()
  const indexMs = Math.max(...first.results.map(({ phases }) => phases.search))
  const importMs = first.ms - indexMs
  const pages = sum(first.results.map(({ filesImported }) => filesImported))
  log(`${formatMs(importMs)}, ${formatMs(indexMs)} for the index, and ${formatCount(first.peakMb)} MB; nothing new`)
  const noops = []
  for (let n = 0; n < NOOPS; n++) noops.push(await sync())
  const changesMs = []
  for (const [n, files] of CHANGES.entries()) {
    log(`${files} changes`)
    await moveMain(source!.folder, source!.commits[n + 1]!)
    changesMs.push({ files, ms: (await sync()).ms })
  }
  log('another import, killed at half')
  const url = await createDatabase(`scale_${size}_killed`)
  const killed = await killImport(optionsFor(url), url, pages)
  await rm(folder, { recursive: true })
  return {
    pages,
    importMs,
    /** What the index for search takes after it, of the slowest source. */
    indexMs,
    pagesPerSecond: pages / (importMs / 1_000),
    /** Of the import and the index. */
    peakMb: first.peakMb,
    noopMs: median(noops.map(({ ms }) => ms)),
    /** Of the slowest source, inside the process. */
    noopInsideMs: median(noops.map(({ results }) => Math.max(...results.map(({ elapsedMs }) => elapsedMs)))),
    changesMs,
    killed,
  }
}

/** Runs `tidemark sync --all`, which has to succeed. */
async function syncAll(options: ProcessOptions) {
  const run = await runTidemark([...TIDEMARK, 'sync', '--all', '--json'], options)
  options.signal.throwIfAborted()
  if (run.exitCode !== 0) throw new Error(`tidemark sync exited with ${run.exitCode}`)
  return run
}

/** Four sources that share so many pages of about a kilobyte, in a folder with the `tidemark.yaml` that names them. */
async function generateSources(folder: string, pages: number, seed: number): Promise<GeneratedSource[]> {
  await mkdir(folder)
  const sources: GeneratedSource[] = []
  for (const [n, id] of SOURCE_IDS.entries()) {
    // The demonstration's text is there on every machine.
    const shape = { id, corpus: 'vite', sections: 2, pages: Math.round(pages / SOURCE_IDS.length) } as const
    sources.push(await generateSource(shape, { changes: n === 0 ? CHANGES : [], seed: seed + n, home: folder }))
  }
  const config = Object.fromEntries(sources.map(({ id, folder: repo }) => [id, { repo }]))
  // JSON is YAML.
  await writeFile(join(folder, 'tidemark.yaml'), JSON.stringify({ sources: config }))
  return sources
}

/** Kills a first import with SIGKILL when it has about half of the pages, and lets another one go on with it. */
function killImport(options: ProcessOptions, url: string, pages: number) {
  return withClient(url, async (db) => {
    // If the server stops first, the next query fails.
    db.on('error', () => {})
    const count = async (from: string) => Number((await db.query(`SELECT count(*) FROM ${from}`)).rows[0].count)
    const countStored = () => count('tidemark.pages')
    await runProcess([...TIDEMARK, 'migrate', '--quiet'], options)
    const { child, ended } = startProcess([...TIDEMARK, 'sync', '--all', '--quiet'], options)
    while (child.exitCode === null && child.signalCode === null && (await countStored()) < pages / 2) await sleep(20)
    child.kill('SIGKILL')
    await ended
    // The server may still be running a statement of the dead process.
    const sessions = `pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'`
    while ((await count(sessions)) > 0) await sleep(20)
    const stored = await countStored()
    await freeLeases(SOURCE_IDS, options)
    const { ms, results } = await syncAll(options)
    const read = sum(results.map(({ blobsRead }) => blobsRead))
    const pagesAfter = await countStored()
    /** Pages in the database when the killed run had gone and when the next one was through, and files that it read. */
    return { stored, pages: pagesAfter, read, readAgain: read - (pagesAfter - stored), resumeMs: ms }
  })
}
