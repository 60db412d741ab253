/**
 * Writes the page that a heavy run leaves, `report.md`, and its pictures. All of it comes from the results of that one
 * run: a part that did not run is left out, and one of which only the shape of its figures is known is shown as it is.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check } from '../harness/harness.ts'
import { renderMarkdown } from '../harness/tables.ts'
import type { Scenario } from '../reproduction/reproduce.ts'
import { growth } from './growth.ts'
import { jsonToMarkdown } from './json-to-markdown.ts'
import { policiesSection } from './policies-section.ts'
import type { Results } from './results.ts'
import { staleness } from './staleness.ts'
import { timeline } from './timeline.ts'

/** Writes `report.md` and its pictures; all that is in it comes from the results. @returns where the page is. */
export async function writeReport(results: Results, folder: string): Promise<string> {
  const pictures = drawPictures(results)
  await mkdir(folder, { recursive: true })
  const page = join(folder, 'report.md')
  await writeFile(page, renderPage(results))
  for (const [name, svg] of Object.entries(pictures)) await writeFile(join(folder, name), svg)
  return page
}

function drawPictures({ machine, reproduction, scale }: Results): Record<string, string> {
  const { date, cores, cpu, seed } = machine
  const caption = `${date.slice(0, 10)}, ${cores} cores (${cpu.trim()}), seed ${seed}`
  const hour = reproduction && `an hour is ${(reproduction.hourMs / 1_000).toFixed(1)} s, ${caption}`
  const pictures = (reproduction?.scenarios ?? []).flatMap(({ load, hours, policies }) => [
    [pictureName('timeline', load), timeline(policies, hours, `${hour}`)],
    [pictureName('staleness', load), staleness(policies, hours, `${hour}`)],
  ])
  return { ...Object.fromEntries(pictures), ...(scale && { 'growth.svg': growth(scale.sizes, caption) }) }
}

const pictureName = (name: string, load: number) => `${name}${load === 1 ? '' : `-load-${load}`}.svg`

function scenarioSection({ load, hours, policies }: Scenario, hourMs: number): string {
  return [
    `## The policies with ${load === 1 ? 'the account’s changes' : `${load} times the account’s changes`}`,
    `Real processes and a real Postgres; ${hours} hours, each of ${(hourMs / 1_000).toFixed(1)} real seconds; the same commits, cost of a page, limits and machine for every policy.`,
    `![Every run of each source under each policy](${pictureName('timeline', load)})`,
    `![How stale the worst source is under each policy](${pictureName('staleness', load)})`,
    policiesSection(policies),
  ].join('\n\n')
}

function renderPage(results: Results): string {
  const { machine, profile, reproduction, published, chaos, scale, bench, checks } = results
  const failed = checks.filter(({ passed }) => !passed).length
  const sections: (string | false | undefined)[] = [
    '# The cascade, reproduced and cured',
    `Profile ${profile}: ${checks.length - failed} of ${checks.length} checks passed. Everything on this page is generated from that run.`,
    renderMarkdown({ columns: Object.keys(machine), rows: [Object.values(machine).map(String)] }),
    ...(reproduction?.scenarios ?? []).map((scenario) => scenarioSection(scenario, reproduction!.hourMs)),
    published !== undefined && `## The published scenario\n\n${jsonToMarkdown(published)}`,
    chaos !== undefined && `## Chaos\n\n${jsonToMarkdown(chaos)}`,
    scale && `## Growth with size\n\n![Growth with the number of pages](growth.svg)\n\n${jsonToMarkdown(scale)}`,
    bench !== undefined && `## Benchmarks\n\n${jsonToMarkdown(bench)}`,
    checks.length > 0 && `## Checks\n\n${checksTable(checks)}`,
  ]
  return `${sections.filter((section) => typeof section === 'string').join('\n\n')}\n`
}

/** Those that failed come first. */
function checksTable(checks: readonly Check[]): string {
  const failedFirst = checks.toSorted((a, b) => Number(a.passed) - Number(b.passed))
  const rows = failedFirst.map(({ passed, check, observed }) => [passed ? 'passed' : '**failed**', check, observed])
  return renderMarkdown({ columns: ['', 'check', 'observed'], rows })
}
