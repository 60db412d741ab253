/**
 * Writes the page that a heavy run leaves, `report.md`, its pictures, and the page's tables alone, `summary.md`. All of
 * it comes from the results of that one run: a part that did not run is left out, and one of which only the shape of its
 * figures is known is shown as it is.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Check, Machine } from '../harness/harness.ts'
import { figureTable, formatCount, formatHours, formatPercent, renderMarkdown } from '../harness/tables.ts'
import type { PolicyRecord } from '../reproduction/policy-record.ts'
import type { Reproduction, Scenario } from '../reproduction/reproduce.ts'
import { timeline } from './timeline.ts'

/** What a run of all parts, or of some of them, has left. */
export interface Results {
  readonly machine: Machine
  /** `short` or `full`. */
  readonly profile: string
  readonly reproduction?: Reproduction
  /** Of these parts nothing but their names is known here: their figures are shown as they are. */
  readonly published?: unknown
  readonly chaos?: unknown
  readonly scale?: unknown
  readonly bench?: unknown
  readonly checks: readonly Check[]
}

/** Writes the page, its pictures and its tables into a folder. @returns where the page is. */
export async function writeReport(results: Results, folder: string): Promise<string> {
  const { reproduction, machine } = results
  await mkdir(folder, { recursive: true })
  for (const { load, hours, policies } of reproduction?.scenarios ?? []) {
    const hour = `an hour is ${(reproduction!.hourMs / 1_000).toFixed(1)} s`
    const caption = `${hour}, ${machine.date.slice(0, 10)}, ${machine.cores} cores (${machine.cpu.trim()}), seed ${machine.seed}`
    await writeFile(join(folder, pictureName(load)), timeline(policies, hours, caption))
  }
  const page = join(folder, 'report.md')
  await writeFile(page, renderPage(results))
  await writeFile(join(folder, 'summary.md'), renderSummary(results))
  return page
}

const pictureName = (load: number) => `timeline${load === 1 ? '' : `-load-${load}`}.svg`

function renderPage(results: Results): string {
  const { machine, reproduction, published, chaos, scale, bench } = results
  return joinSections([
    '# The cascade, reproduced and cured',
    `${passedLine(results)} Everything on this page is generated from that run.`,
    renderMarkdown({ columns: Object.keys(machine), rows: [Object.values(machine).map(String)] }),
    ...(reproduction?.scenarios ?? []).map((scenario) => scenarioSection(scenario, reproduction!.hourMs)),
    ...Object.entries({ published, chaos, scale, bench }).map(
      ([part, figures]) => figures && figuresSection(part, figures),
    ),
    checksSection(results),
  ])
}

/** What fits where no picture can be shown, as on the page of a run of CI. */
function renderSummary(results: Results): string {
  const scenarios = results.reproduction?.scenarios ?? []
  return joinSections([
    passedLine(results),
    ...scenarios.flatMap((scenario) => [scenarioTitle(scenario), policiesTable(scenario.policies)]),
    checksSection(results),
  ])
}

const joinSections = (sections: readonly unknown[]) =>
  `${sections.filter((section) => typeof section === 'string').join('\n\n')}\n`

function passedLine({ profile, checks }: Results): string {
  const passed = checks.filter((each) => each.passed).length
  return `Profile ${profile}: ${passed} of ${checks.length} checks passed.`
}

const checksSection = ({ checks }: Results) => checks.length > 0 && `## Checks\n\n${checksTable(checks)}`

const scenarioTitle = ({ load }: Scenario) =>
  `## The policies with ${load === 1 ? '' : `${load} × `}the account's changes`

function scenarioSection(scenario: Scenario, hourMs: number): string {
  const { load, hours, policies } = scenario
  return [
    scenarioTitle(scenario),
    `Real processes and a real Postgres; ${hours} hours, each of ${(hourMs / 1_000).toFixed(1)} real seconds; the same commits, cost of a page, limits and machine for every policy.`,
    `![Every run of each source under each policy](${pictureName(load)})`,
    policiesTable(policies),
  ].join('\n\n')
}

/** What the policies have done and come to, a column each. */
function policiesTable(policies: readonly PolicyRecord[]): string {
  const staleness = policies[0]!.staleness.map(
    ({ source }, i) =>
      [
        `${source} was stale for up to`,
        ({ staleness }: PolicyRecord) => formatHours(staleness[i]!.worstHours),
      ] as const,
  )
  const table = figureTable(policies, ({ policy }) => policy, {
    waves: ({ waves }) => `${waves.length}`,
    'not killed': ({ notKilled }) => formatPercent(notKilled),
    'made progress': ({ progressed }) => formatPercent(progressed),
    finished: ({ finished }) => formatPercent(finished),
    'runs of a source that were ended early': ({ stopped }) => `${stopped}`,
    'locks for a person to break': ({ interventions }) => `${interventions}`,
    'wrong pages': ({ wrongPages }) => `${wrongPages}`,
    ...Object.fromEntries(staleness),
    'files read': ({ read }) => formatCount(read),
    'of them once more': ({ readAgain }) => formatCount(readAgain),
    'pages stored': ({ stored }) => formatCount(stored),
    'stored once more': ({ storedAgain }) => formatCount(storedAgain),
    'kB stored': ({ bytes }) => formatCount(bytes / 1_000),
    'texts embedded': ({ embedded }) => formatCount(embedded),
    'texts that wait for it in the end': ({ unembedded }) => formatCount(unembedded),
    'texts waited for it for up to': ({ unembeddedHours }) => formatHours(unembeddedHours),
  })
  return renderMarkdown(table)
}

const figuresSection = (part: string, figures: unknown) =>
  `## The part ${part}\n\n\`\`\`json\n${JSON.stringify(figures, null, 1)}\n\`\`\``

/** Those that failed come first. */
function checksTable(checks: readonly Check[]): string {
  const failedFirst = checks.toSorted((a, b) => Number(a.passed) - Number(b.passed))
  const rows = failedFirst.map(({ passed, check, observed }) => [passed ? 'passed' : '**failed**', check, observed])
  return renderMarkdown({ columns: ['', 'check', 'observed'], rows })
}
