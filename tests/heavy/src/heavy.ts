/** `npm run heavy`: every part of the heavy run, or those that are named; its exit code says whether each check passed. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument, Option } from 'commander'
import { describeMachine } from './harness/harness.ts'
import { createProgram, runMain, wholeNumber } from './harness/main.ts'
import { renderChecks } from './harness/tables.ts'
import { PROFILES } from './profile.ts'
import { PARTS, type PartName, runParts } from './run-parts.ts'

const RESULTS = fileURLToPath(new URL('../results', import.meta.url))

const setting = (flag: string, about: string, env: string, min = 1) =>
  new Option(`${flag} <number>`, about).env(env).argParser(wholeNumber(min))

const program = createProgram('heavy')
  .description('Shows the cascade under the old policy and its cure, injects faults, and measures.')
  .addArgument(new Argument('[parts...]', 'what to run; everything by default').choices(PARTS))
  .addOption(new Option('--profile <name>', 'how much of it').choices(Object.keys(PROFILES)).default('short'))
  .option('--seed <number>', 'the same seed makes the same sources, commits and faults', wholeNumber(0), 1)
  .option('--report', 'write a page with pictures into tests/heavy/results')
  .optionsGroup('Instead of what the profile has:')
  .addOption(setting('--kills', 'chaos: processes that are ended by SIGKILL', 'KILLS', 0))
  .addOption(setting('--pauses', 'chaos: processes that are paused past their lease', 'PAUSES', 0))
  .addOption(setting('--pages', 'published: of each source', 'PAGES'))
  .addOption(setting('--sources', 'published: new sources', 'SOURCES'))
  .addOption(setting('--waves', 'published: runs of each source', 'WAVES'))
  .addOption(setting('--timeout-seconds', 'published: of a run, too tight for the last source', 'TIMEOUT_SECONDS'))
  .parse()
const { profile, seed, report, kills, pauses, ...published } = program.opts()
const common = PROFILES[profile as keyof typeof PROFILES]
const settings = {
  ...common,
  chaos: { ...common.chaos, ...(kills !== undefined && { kills }), ...(pauses !== undefined && { pauses }) },
  published: { ...common.published, ...published },
}
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
