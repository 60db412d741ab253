/** `npm run heavy`: every part of the heavy run, or those that are named; its exit code says whether each check passed. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument, Option } from 'commander'
import { describeMachine } from './harness/harness.ts'
import { createProgram, parseWholeNumber, runMain } from './harness/main.ts'
import { renderChecks } from './harness/tables.ts'
import { PROFILES, type Profile } from './profile.ts'
import { readPublishedSettings } from './reproduction/published.ts'
import { PARTS, type PartName, runParts } from './run-parts.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))

const program = createProgram('heavy')
  .description('Shows the cascade under the old policy and its cure, injects faults, and measures.')
  .addArgument(new Argument('[parts...]', 'what to run; everything by default').choices(PARTS))
  .addOption(new Option('--profile <name>', 'how much of it').choices(Object.keys(PROFILES)).default('short'))
  .option('--seed <number>', 'the same seed makes the same sources, commits and faults', parseWholeNumber, 1)
  .option('--report', 'write a page with pictures into tests/heavy/results')
  .parse()
const { profile, seed, report } = program.opts<{ profile: keyof typeof PROFILES; seed: number; report?: true }>()
const settings = readEnvironment(PROFILES[profile])
const parts = program.args.length > 0 ? (program.args as PartName[]) : PARTS

const started = performance.now()
const log = (line: string) => {
  const seconds = Math.round((performance.now() - started) / 1_000)
  console.log(`${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}  ${line}`)
}
await runMain(async (signal) => {
  console.log(`heavy, ${profile}, --seed ${seed}`)
  const { figures, checks } = await runParts(parts, settings, { seed, log, signal })
  const results = { machine: await describeMachine(seed), profile, ...figures, checks }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'heavy.json'), `${JSON.stringify(results, null, 2)}\n`)
  if (report) {
    const { writeReport } = await import('./report/write-report.ts')
    console.log(`The report is ${await writeReport(results, RESULTS)}`)
  }
  console.log(renderChecks(checks))
  return checks
})

/** The profile, with what the environment says of the published scenario. */
function readEnvironment(settings: Profile): Profile {
  try {
    return { ...settings, published: readPublishedSettings(settings.published) }
  } catch (error) {
    return program.error((error as Error).message)
  }
}
