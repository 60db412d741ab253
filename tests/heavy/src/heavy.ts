/** `npm run heavy`: every part of the heavy run, or those that are named; its exit code says whether each promise was kept. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument, Option, program } from 'commander'
import { machineWith } from './ground/machine.ts'
import { untilSignal } from './ground/until-signal.ts'
import { wholeNumber } from './ground/whole-number.ts'
import { PROFILES, type Profile } from './profile.ts'
import { publishedSettings } from './reproducer/published.ts'
import { PARTS, type PartName, runParts } from './run-parts.ts'
import { showChecks } from './show-checks.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))

program
  .name('npm run heavy --')
  .description('Shows the cascade under the old policy and its cure, throws faults, measures, and simulates.')
  .addArgument(new Argument('[parts...]', 'what to run; everything by default').choices(PARTS))
  .addOption(new Option('--profile <name>', 'how much of it').choices(Object.keys(PROFILES)).default('short'))
  .option('--seed <number>', 'the same seed makes the same sources, commits and faults', wholeNumber, 1)
  .option('--report', 'write a page with pictures into tests/heavy/results')
  .parse()
const { profile, seed, report } = program.opts<{
  profile: keyof typeof PROFILES
  seed: number
  report?: boolean
}>()
const settings = settingsOf(PROFILES[profile])
const parts = program.args.length > 0 ? (program.args as PartName[]) : PARTS

const started = performance.now()
const tell = (line: string) => {
  const seconds = Math.round((performance.now() - started) / 1_000)
  console.log(`${String(Math.floor(seconds / 60)).padStart(3)}:${String(seconds % 60).padStart(2, '0')}  ${line}`)
}
await untilSignal(async (signal) => {
  console.log(`heavy, ${profile}, --seed ${seed}`)
  const { figures, checks } = await runParts(parts, settings, { seed, tell, signal })
  const results = { machine: machineWith(seed), profile, ...figures, checks }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(join(RESULTS, 'heavy.json'), `${JSON.stringify(results, null, 2)}\n`)
  if (report) {
    const { writeReport } = await import('./report/write-report.ts')
    console.log(`The report is ${await writeReport(results, RESULTS)}`)
  }
  console.log(showChecks(checks))
  return checks
})

/** A profile with what the environment says of the published scenario. */
function settingsOf(given: Profile): Profile {
  try {
    return { ...given, published: publishedSettings(given.published) }
  } catch (error) {
    program.error((error as Error).message, { exitCode: 2 })
  }
}
