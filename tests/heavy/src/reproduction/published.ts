import { generateSource } from '../harness/generate-source.ts'
import type { Harness, Report } from '../harness/harness.ts'
import { createHome, runSync } from './policies/tidemark.ts'
import { scaleLimits } from './schedule.ts'

/** The scenario that came with the incumbent's fix, at the size that its account gives. */
export interface PublishedSettings {
  readonly pages: number
  readonly sources: number
  readonly waves: number
  /** Too tight for one source to be imported in. */
  readonly timeoutSeconds: number
}

export interface PublishedFigures extends PublishedSettings {
  /** Per source: pages after each wave, and the wave after which its bookmark was at HEAD; null if none. */
  readonly converged: readonly { source: string; pages: number[]; atWave: number | null }[]
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

/** New sources, waves of `tidemark sync --source X --timeout N` until each has its bookmark at HEAD. */
export async function runPublished(settings: PublishedSettings, harness: Harness): Promise<Report<PublishedFigures>> {
  const { seed, log, signal, folder } = harness
  const { pages, waves, timeoutSeconds } = settings
  const shape = { corpus: 'tldr', pages, sections: 1, changesPerHour: 0, isNew: true } as const
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, async (_, i) => {
      const id = `published-${i + 1}`
      return { ...shape, ...(await generateSource({ ...shape, id }, { changes: [], seed: seed + i, home: folder })) }
    }),
  )
  const context = { harness, sources, limits: scaleLimits(timeoutSeconds), embeddingUrl: '' }
  const home = await createHome(context, 'published')
  const converged: PublishedFigures['converged'] = sources.map(({ id }) => ({ source: id, pages: [], atWave: null }))
  let wasTight = false
  for (let wave = 1; wave <= waves && !signal.aborted; wave++) {
    for (const [i, { id, commits }] of sources.entries()) {
      const { work } = await runSync(home, ['--source', id, '--timeout', `${timeoutSeconds}`], context)
      const own = converged[i]!
      own.pages.push((own.pages.at(-1) ?? 0) + (work[0]?.stored ?? 0))
      if ((await home.bookmarks()).get(id) === commits[0]) own.atWave ??= wave
      else wasTight = true
      log(`published, wave ${wave} of ${waves}: ${id} has ${own.pages.at(-1)} of ${pages} pages`)
    }
  }
  await home.close()
  const done = converged.filter(({ atWave }) => atWave !== null).length
  const check = `${settings.sources} sources of ${pages} pages are at HEAD after ${waves} waves of ${timeoutSeconds} s`
  if (!wasTight) log(`published: ${timeoutSeconds} s were enough for a whole source; give more PAGES to see it resume`)
  return {
    figures: { ...settings, converged },
    checks: [{ check, passed: done === settings.sources, observed: `${done} of ${settings.sources}` }],
  }
}
