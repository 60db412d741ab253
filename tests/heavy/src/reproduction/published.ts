import { generateSource } from '../harness/generate-source.ts'
import type { Harness, Report } from '../harness/harness.ts'
import { TIDEMARK } from '../harness/process.ts'
import { sum } from '../harness/statistics.ts'
import { MAX_PAGES_READ_AGAIN_FAST } from '../harness/thresholds.ts'
import { observe } from './observe.ts'
import { createEmptyHome, runSync } from './policies/tidemark.ts'
import { readHistory } from './source-history.ts'

/** The scenario that came with the incumbent's fix, at the size that its account gives. */
export interface PublishedSettings {
  readonly pages: number
  readonly sources: number
  readonly waves: number
  /** Too tight for the last source to be imported in. */
  readonly timeoutSeconds: number
}

export interface PublishedFigures extends PublishedSettings {
  /** Per source: pages after each wave, how many of all are not the ref's in the end, and how many were read again. */
  readonly converged: readonly { source: string; pages: number[]; wrongPages: number; readAgain: number }[]
}

/** Settings from the environment: `PAGES`, `SOURCES`, `WAVES`, `TIMEOUT_SECONDS`. @throws where one is no number. */
export function readPublishedSettings(defaults: PublishedSettings): PublishedSettings {
  const read = (name: string, otherwise: number): number => {
    const value = process.env[name] ?? `${otherwise}`
    if (/^[1-9]\d{0,6}$/.test(value)) return Number(value)
    throw new Error(`${name} is ${JSON.stringify(value)}: give a whole number of 1 or more`)
  }
  return {
    pages: read('PAGES', defaults.pages),
    sources: read('SOURCES', defaults.sources),
    waves: read('WAVES', defaults.waves),
    timeoutSeconds: read('TIMEOUT_SECONDS', defaults.timeoutSeconds),
  }
}

/**
 * New sources, waves of `tidemark sync --source X --timeout N` until the pages of each are what its ref has. The first
 * has no limit and tells what this machine takes for a source now: a timeout is not shorter than that, and the last
 * source is made to take half as long again as its timeout.
 */
export async function runPublished(settings: PublishedSettings, harness: Harness): Promise<Report<PublishedFigures>> {
  const { seed, log, signal, folder } = harness
  const { pages, waves } = settings
  let { timeoutSeconds } = settings
  const shape = { corpus: 'tldr', pages, sections: 1 } as const
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, (_, i) =>
      generateSource({ ...shape, id: `published-${i + 1}` }, { changes: [], seed: seed + i, home: folder }),
    ),
  )
  const { database, ...options } = await createEmptyHome({ harness, sources }, 'published')
  const observer = await observe(database, 'tidemark')
  const read = async (id: string) => (await observer.snapshot()).get(id)
  const converged: PublishedFigures['converged'][number][] = []
  let stopped = 0
  for (const [i, source] of sources.entries()) {
    const { id } = source
    const own = { source: id, pages: [] as number[], wrongPages: 0, readAgain: 0 }
    converged.push(own)
    for (let wave = 1; wave <= waves && !signal.aborted; wave++) {
      const before = (await read(id))?.stored ?? 0
      const timeout = i === 0 ? [] : ['--timeout', `${timeoutSeconds}`]
      const command = [...TIDEMARK, 'sync', '--source', id, ...timeout, '--json'] as const
      const { work } = await runSync(command, [id], options, harness)
      const { startMs, endMs, read: blobsRead, stopped: wasStopped } = work[0]!
      const stored = (await read(id))?.stored ?? 0
      if (wasStopped) stopped++
      own.readAgain += (blobsRead ?? 0) - (stored - before)
      own.pages.push(stored)
      log(`published, wave ${wave} of ${waves}: ${id} has ${stored} of ${pages} pages`)
      if (i === 0 && wave === 1) {
        timeoutSeconds = Math.max(timeoutSeconds, Math.ceil((endMs - startMs) / 1_000))
        const spareMs = 1_500 * timeoutSeconds - (endMs - startMs)
        await observer.setPageMs(sources.at(-1)!.id, spareMs / pages)
      }
    }
    const history = await readHistory(source)
    own.wrongPages = history.differences((await read(id))?.pages ?? new Map(), 0).length
    own.wrongPages += history.differences(await observer.contents(id), 0).length
  }
  await observer.db.end()
  const [wrongPages, readAgain] = [
    sum(converged.map((own) => own.wrongPages)),
    sum(converged.map((own) => own.readAgain)),
  ]
  const all = `${settings.sources} sources of ${pages} pages`
  return {
    figures: { ...settings, timeoutSeconds, converged },
    checks: [
      {
        check: `${all}: path, blob and text are the ref's after ${waves} waves of ${timeoutSeconds} s`,
        passed: wrongPages === 0,
        observed: `${wrongPages} wrong`,
      },
      {
        check: `${all}: runs were stopped, and each had no more than a batch read again`,
        passed: (stopped > 0 || sources.length === 1) && readAgain <= stopped * MAX_PAGES_READ_AGAIN_FAST,
        observed: `${stopped} stopped, ${readAgain} read again`,
      },
    ],
  }
}
