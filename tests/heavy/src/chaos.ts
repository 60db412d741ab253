/** `npm run chaos`: the part of the heavy run that throws faults, by itself. */
import { Option, program } from 'commander'
import { chaos } from './chaos/chaos.ts'
import { PROFILES } from './chaos/settings.ts'
import { showChaos } from './chaos/show-chaos.ts'
import { makeGround } from './ground/ground.ts'
import { machineWith } from './ground/machine.ts'
import { untilSignal } from './ground/until-signal.ts'
import { wholeNumber } from './ground/whole-number.ts'

interface Flags {
  readonly profile: keyof typeof PROFILES
  readonly seed: number
  readonly kills?: number
  readonly pauses?: number
}

const { profile, seed, kills, pauses } = program
  .name('npm run chaos --')
  .description('Throws faults at syncs and looks whether every promise is kept.')
  .addOption(new Option('--profile <name>').choices(Object.keys(PROFILES)).default('short'))
  .option('--seed <number>', 'replays the plan of faults that was made of it', wholeNumber, Date.now() % 1e9)
  .option('--kills <number>', 'processes to be killed, instead of what the profile has', wholeNumber)
  .option('--pauses <number>', 'processes to be paused past their lease', wholeNumber)
  .parse()
  .opts<Flags>()
const settings = {
  ...PROFILES[profile],
  ...(kills !== undefined && { kills }),
  ...(pauses !== undefined && { pauses }),
}

await untilSignal(async (signal) => {
  console.log(`chaos, ${profile}, --seed ${seed}`)
  await using ground = await makeGround(signal)
  const part = await chaos(settings, { ground, seed, tell: console.log })
  console.log(showChaos(part, machineWith(seed)))
  return part.checks
})
