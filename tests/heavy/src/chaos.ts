/** `npm run chaos`: the part of the heavy run that injects faults, by itself. */
import { Option } from 'commander'
import { CHAOS_PROFILES, runChaos } from './chaos/chaos.ts'
import { createHarness, describeMachine } from './harness/harness.ts'
import { createProgram, parseWholeNumber, runMain } from './harness/main.ts'
import { renderChecks } from './harness/tables.ts'

interface Flags {
  readonly profile: keyof typeof CHAOS_PROFILES
  readonly seed: number
  readonly kills?: number
  readonly pauses?: number
}

const { profile, seed, ...amounts } = createProgram('chaos')
  .description('Injects faults into syncs and checks every invariant.')
  .addOption(new Option('--profile <name>').choices(Object.keys(CHAOS_PROFILES)).default('short'))
  .option('--seed <number>', 'replays the plan of faults that was made of it', parseWholeNumber, Date.now() % 1e9)
  .option('--kills <number>', 'processes to be killed, instead of what the profile has', parseWholeNumber)
  .option('--pauses <number>', 'processes to be paused past their lease', parseWholeNumber)
  .parse()
  .opts<Flags>()

await runMain(async (signal) => {
  console.log(`chaos, ${profile}, --seed ${seed}`)
  await using harness = await createHarness({ signal, seed, log: console.log })
  const { figures, checks } = await runChaos({ ...CHAOS_PROFILES[profile], ...amounts }, harness)
  const { date, commit, cores, cpu, memoryGb, node } = await describeMachine(seed)
  console.log(`\n${date}, commit ${commit}, ${cores} × ${cpu}, ${memoryGb} GB, node ${node}`)
  const { counts, elapsedSeconds } = figures
  console.log(
    Object.entries({ ...counts, elapsedSeconds })
      .map(([name, amount]) => `${name} ${amount}`)
      .join(', '),
  )
  console.log(renderChecks(checks))
  return checks
})
