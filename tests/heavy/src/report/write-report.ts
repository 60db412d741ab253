import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../ground/part.ts'
import { anyFigures } from './any-figures.ts'
import { growth } from './growth.ts'
import { policiesSection } from './policies.ts'
import type { Results } from './results.ts'
import { simulatedSection } from './simulated.ts'
import { staleness } from './staleness.ts'
import { table } from './table.ts'
import { timeline } from './timeline.ts'

/** Writes `report.md` and its pictures; all that is in it comes from the results. @returns where the page is. */
export async function writeReport(results: Results, folder: string): Promise<string> {
  const pictures = picturesOf(results)
  await mkdir(folder, { recursive: true })
  const page = join(folder, 'report.md')
  await writeFile(page, markdown(results))
  for (const [name, svg] of Object.entries(pictures)) await writeFile(join(folder, name), svg)
  return page
}

function picturesOf({ machine, reproduction, scale }: Results): Record<string, string> {
  const { date, cores, cpu, seed } = machine
  const caption = `${date.slice(0, 10)}, ${cores} cores (${cpu.trim()}), seed ${seed}`
  const hour = reproduction && `an hour is ${(reproduction.hourMs / 1_000).toFixed(1)} s, ${caption}`
  return {
    ...(reproduction && {
      'timeline.svg': timeline(reproduction.policies, reproduction.hours, `${hour}`),
      'staleness.svg': staleness(reproduction.policies, reproduction.hours, `${hour}`),
    }),
    ...(scale && { 'growth.svg': growth(scale.sizes, caption) }),
  }
}

function markdown(results: Results): string {
  const { machine, profile, reproduction, published, chaos, scale, simulation, bench, checks } = results
  const missed = checks.filter(({ kept }) => !kept).length
  const sections: (string | false | undefined)[] = [
    '# The cascade, reproduced and cured',
    `Profile ${profile}: ${checks.length - missed} of ${checks.length} promises kept. Everything on this page is generated from that run.`,
    table(Object.keys(machine), [Object.values(machine).map(String)]),
    reproduction && '## The policies, on real processes and a real Postgres',
    reproduction &&
      `${reproduction.hours} hours, each of ${(reproduction.hourMs / 1_000).toFixed(1)} real seconds; the same commits, limits and machine for every policy.`,
    reproduction && '![Every run of each source under each policy](timeline.svg)',
    reproduction && '![How stale the worst source is under each policy](staleness.svg)',
    reproduction && policiesSection(reproduction.policies),
    published !== undefined && `## The published scenario\n\n${anyFigures(published)}`,
    chaos !== undefined && `## Chaos\n\n${anyFigures(chaos)}`,
    scale && `## Growth with size\n\n![Growth with the number of pages](growth.svg)\n\n${anyFigures(scale)}`,
    simulation && `## Simulation\n\n${simulatedSection(simulation)}`,
    bench !== undefined && `## Benchmarks\n\n${anyFigures(bench)}`,
    checks.length > 0 && `## Promises\n\n${promises(checks)}`,
  ]
  return `${sections.filter((section) => typeof section === 'string').join('\n\n')}\n`
}

/** Those that were missed come first. */
const promises = (checks: readonly Check[]) =>
  table(
    ['', 'promise', 'seen'],
    checks
      .toSorted((a, b) => Number(a.kept) - Number(b.kept))
      .map(({ kept, promise, seen }) => [kept ? 'kept' : '**missed**', promise, seen]),
  )
