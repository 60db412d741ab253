import type { Part, Stage } from '../ground/part.ts'
import { runTidemark } from '../policies/run-tidemark.ts'
import { tidemarkHome } from '../policies/tidemark-home.ts'
import { generateSource } from '../sources/generate.ts'
import { limitsFor } from './limits.ts'

/** The scenario that came with the incumbent's fix, at the size that its account gives. */
export interface PublishedSettings {
  readonly pages: number
  readonly sources: number
  readonly waves: number
  /** Too tight for one source to be imported in. */
  readonly timeoutSeconds: number
}

export interface Published extends PublishedSettings {
  /** Per source: pages after each wave, and the wave after which its bookmark was at HEAD; null if none. */
  readonly converged: readonly { source: string; pages: readonly number[]; atWave: number | null }[]
}

/** Settings from the environment: `PAGES`, `SOURCES`, `WAVES`, `TIMEOUT_SECONDS`. @throws where one is no number. */
export function publishedSettings(defaults: PublishedSettings): PublishedSettings {
  return {
    pages: count('PAGES', defaults.pages),
    sources: count('SOURCES', defaults.sources),
    waves: count('WAVES', defaults.waves),
    timeoutSeconds: count('TIMEOUT_SECONDS', defaults.timeoutSeconds),
  }
}

function count(name: string, otherwise: number): number {
  const given = process.env[name]
  if (given === undefined) return otherwise
  if (/^[1-9]\d{0,6}$/.test(given)) return Number(given)
  throw new Error(`${name} is ${JSON.stringify(given)}: give a whole number of 1 or more`)
}

/** New sources, waves of `tidemark sync --source X --timeout N` until each has its bookmark at HEAD. */
export async function published(settings: PublishedSettings, stage: Stage): Promise<Part<Published>> {
  const { ground, seed, tell } = stage
  const { pages, waves, timeoutSeconds } = settings
  const shape = { corpus: 'tldr', pages, sections: 1, changesPerHour: 0, isNew: true } as const
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, async (_, i) => {
      const id = `published-${i + 1}`
      const made = await generateSource({ ...shape, id }, { changes: [], seed: seed + i, home: ground.folder })
      return { ...shape, ...made }
    }),
  )
  const scene = { ground, sources, limits: limitsFor(timeoutSeconds), embeddingUrl: '', tell }
  const home = await tidemarkHome(scene, 'published')
  const converged = sources.map(({ id }) => ({
    source: id,
    pages: [] as number[],
    atWave: null as number | null,
  }))
  let wasTight = false
  for (let wave = 1; wave <= waves && !ground.signal.aborted; wave++) {
    for (const [i, { id, commits }] of sources.entries()) {
      const line = [home.command, 'sync', '--source', id, '--timeout', `${timeoutSeconds}`, '--json'] as const
      const { work } = await runTidemark(line, { home, scene })
      const own = converged[i]!
      own.pages.push((own.pages.at(-1) ?? 0) + (work[0]?.stored ?? 0))
      if ((await home.bookmarks()).get(id) === commits[0]) own.atWave ??= wave
      else wasTight = true
      tell(`published, wave ${wave} of ${waves}: ${id} has ${own.pages.at(-1)} of ${pages} pages`)
    }
  }
  await home.close()
  const done = converged.filter(({ atWave }) => atWave !== null).length
  const checks = [
    {
      promise: `${settings.sources} sources of ${pages} pages are at HEAD after ${waves} waves of ${timeoutSeconds} s`,
      kept: done === settings.sources,
      seen: `${done} of ${settings.sources}`,
    },
  ]
  if (!wasTight) tell(`published: ${timeoutSeconds} s were enough for a whole source; give more PAGES to see it resume`)
  return { figures: { ...settings, converged }, checks }
}
