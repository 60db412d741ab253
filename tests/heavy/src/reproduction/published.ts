import { generateSource } from '../harness/generate-source.ts'
import type { Harness } from '../harness/harness.ts'
import { TIDEMARK } from '../harness/process.ts'
import { sum } from '../harness/statistics.ts'
import { MAX_PAGES_READ_AGAIN_FAST } from '../harness/thresholds.ts'
import { observe } from './observe.ts'
import { createEmptyHome } from './policies/tidemark.ts'
import { readHistory } from './source-history.ts'

/** The scenario that came with the incumbent's fix, at the size that its account gives. */
export interface PublishedSettings {
  readonly pages: number
  readonly sources: number
  readonly waves: number
  /** Too tight for the last source to be imported in. */
  readonly timeoutSeconds: number
}

/**
 * New sources, waves of `tidemark sync --source X --timeout N` until the pages of each are what its ref has. The first
 * has no limit and tells what this machine takes for a source now: a timeout is not shorter than that, and the last
 * source is made to take half as long again as its timeout.
 */
export async function runPublished(settings: PublishedSettings, harness: Harness) {
  const { pages, waves } = settings
  let { timeoutSeconds } = settings
  const shape = { corpus: 'tldr', pages, sections: 1 } as const
  const options = (n: number) => ({ changes: [], seed: harness.seed + n, home: harness.folder })
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, (_, n) =>
      generateSource({ ...shape, id: `published-${n + 1}` }, options(n)),
    ),
  )
  const home = await createEmptyHome(harness, sources, 'published')
  const observer = await observe(home.database, 'tidemark')
  const countStored = async (id: string) => (await observer.snapshot()).get(id)?.stored ?? 0
  let stopped = 0
  /** Pages after each wave, and in the end how many are not the ref's and how many were read again. */
  const converged: { source: string; pages: number[]; wrongPages: number; readAgain: number }[] = []
  for (const [i, source] of sources.entries()) {
    const { id } = source
    const own: (typeof converged)[number] = { source: id, pages: [], wrongPages: 0, readAgain: 0 }
    converged.push(own)
    for (let wave = 1; wave <= waves; wave++) {
      const timeout = i === 0 ? [] : ['--timeout', `${timeoutSeconds}`]
      const before = await countStored(id)
      const command = [...TIDEMARK, 'sync', '--source', id, ...timeout, '--json'] as const
      const work = (await home.sync(command, [id])).work[0]!
      const stored = await countStored(id)
      own.pages.push(stored)
      own.readAgain += work.read! - (stored - before)
      if (work.stopped) stopped++
      harness.log(`published, wave ${wave} of ${waves}: ${id} has ${stored} of ${pages} pages`)
      if (i > 0 || wave > 1) continue
      timeoutSeconds = Math.max(timeoutSeconds, Math.ceil((work.endMs - work.startMs) / 1_000))
      await observer.setPageMs(sources.at(-1)!.id, (1_500 * timeoutSeconds) / pages)
    }
    const { differences } = await readHistory(source)
    const blobs = (await observer.snapshot()).get(id)?.pages ?? new Map()
    own.wrongPages = differences(blobs, 0).length + differences(await observer.contents(id), 0).length
  }
  await observer.db.end()
  const wrongPages = sum(converged.map((own) => own.wrongPages))
  const readAgain = sum(converged.map((own) => own.readAgain))
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
