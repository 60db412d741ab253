import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { moveMain } from '../harness/git.ts'
import type { Harness } from '../harness/harness.ts'
import { median, sum } from '../harness/statistics.ts'
import { formatCount, formatMs } from '../harness/tables.ts'
import { createCommand } from './command.ts'
import { CHANGES, generateSources } from './generate-sources.ts'
import { killImport } from './kill-import.ts'

const NOOPS = 5

export type SizeFigures = Awaited<ReturnType<typeof measureSize>>

/** What the command takes with so many pages; milliseconds are those of the whole process unless it says otherwise. */
export async function measureSize(size: number, { folder: home, ...harness }: Harness) {
  const { signal, seed, createDatabase } = harness
  const log = (text: string) => harness.log(`scale: ${formatCount(size)} pages: ${text}`)
  const folder = join(home, `scale-${size}`)
  log('generating the sources')
  const [source] = await generateSources(folder, size, seed)
  const { sync } = createCommand(folder, await createDatabase(`scale_${size}`), signal)

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
  const killed = await killImport(createCommand(folder, url, signal), url, pages)
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
