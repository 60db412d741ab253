import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Stage } from '../ground/part.ts'
import { median } from '../ground/percentile.ts'
import { runTidemark } from './command-run.ts'
import { type KilledImport, killedImport } from './killed-import.ts'
import { makeSources } from './make-sources.ts'

/** What the command takes with so many pages; milliseconds are those of the whole process unless it says otherwise. */
export interface SizeFigures {
  readonly pages: number
  readonly importMs: number
  /** What the index for search takes after it, of the slowest source. */
  readonly indexMs: number
  readonly pagesPerSecond: number
  /** Of both. */
  readonly peakMb: number
  readonly noopMs: number
  /** Of the slowest source, inside the process. */
  readonly noopInsideMs: number
  readonly changesMs: readonly { readonly files: number; readonly ms: number }[]
  readonly killed: KilledImport
}

const CHANGES = [50, 200, 500]
const NOOPS = 5

export async function measureSize(size: number, { ground, seed, tell }: Stage): Promise<SizeFigures> {
  const say = (what: string) => tell(`scale: ${size.toLocaleString('en-GB')} pages: ${what}`)
  const folder = join(ground.folder, `scale-${size}`)
  say('sources are made')
  const sources = await makeSources(folder, size, { changes: CHANGES, seed })
  const url = await ground.createDatabase(`scale_${size}`)
  const home = { cwd: folder, env: { DATABASE_URL: url }, signal: ground.signal }
  const sync = () => runTidemark(['sync', '--all'], home)

  say('first import')
  const first = await sync()
  const indexMs = Math.max(...first.results.map(({ phases }) => phases.search))
  const importMs = first.ms - indexMs
  const pages = first.results.reduce((sum, { filesImported }) => sum + filesImported, 0)
  say(
    `${Math.round(importMs / 1000)} s, ${Math.round(indexMs / 1000)} s for the index, and ${Math.round(first.peakMb)} MB; nothing new`,
  )
  const noops = []
  for (let n = 0; n < NOOPS; n++) noops.push(await sync())
  const changesMs = []
  for (const [n, files] of CHANGES.entries()) {
    say(`${files} changes`)
    const { folder: repo, commits } = sources[0]!
    await execa('git', ['-C', repo, 'update-ref', 'refs/heads/main', commits[n + 1]!])
    changesMs.push({ files, ms: (await sync()).ms })
  }
  say('another import, killed at half')
  const killedUrl = await ground.createDatabase(`scale_${size}_killed`)
  const killed = await killedImport(
    { ...home, env: { DATABASE_URL: killedUrl } },
    { url: killedUrl, sources: sources.map(({ id }) => id), pages },
  )
  await rm(folder, { recursive: true })
  return {
    pages,
    importMs,
    indexMs,
    pagesPerSecond: pages / (importMs / 1000),
    peakMb: first.peakMb,
    noopMs: median(noops.map(({ ms }) => ms)),
    noopInsideMs: median(noops.map(({ results }) => Math.max(...results.map(({ elapsedMs }) => elapsedMs)))),
    changesMs,
    killed,
  }
}
