/** `npm run bench`: the benchmarks of all packages in one run, as tables and as a JSON file. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Argument } from 'commander'
import { BRIEF_BENCH, benchmarks, FULL_BENCH, SUBJECTS } from './bench/benchmarks.ts'
import { createHarness, describeMachine } from './harness/harness.ts'
import { createProgram, runMain, wholeNumber } from './harness/main.ts'
import { renderChecks } from './harness/tables.ts'

const RESULTS = fileURLToPath(new URL('../results/bench.json', import.meta.url))

const program = createProgram('bench')
  .addArgument(new Argument('[subjects...]', 'what is timed; all of it by default').choices(SUBJECTS))
  .option('--brief', 'half a minute on the pages of the demonstration')
  .option('--seed <number>', 'of the moments at which runs are stopped', wholeNumber(0), 1)
  .option('--json <file>', 'where the figures are written', RESULTS)
  .addHelpText('after', '\nTIDEMARK_CORPORA names a folder with rfcs.bundle and tldr.bundle to time those.')
  .parse()
const { brief, seed, json } = program.opts<{ brief?: true; seed: number; json: string }>()
const subjects: readonly string[] = program.args.length > 0 ? program.args : SUBJECTS
const all = brief ? BRIEF_BENCH : FULL_BENCH
const settings = Object.fromEntries(Object.entries(all).filter(([subject]) => subjects.includes(subject)))

await runMain(async (signal) => {
  await using harness = await createHarness({ signal, seed, log: console.log })
  const machine = await describeMachine(seed)
  const { figures, checks } = await benchmarks(settings, harness)
  if (checks.length > 0) console.log(renderChecks(checks))
  const file = resolve(process.env.INIT_CWD ?? '.', json)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify({ machine, figures, checks }, null, 2)}\n`)
  console.log(`\n${machine.cores} cores, ${machine.cpu}, ${machine.date}, seed ${seed}: ${file}`)
  return checks
})
