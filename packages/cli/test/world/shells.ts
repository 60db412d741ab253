import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { BIN, type CliWorld } from './cli-world.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** How each shell is started without the files of its user, and takes up a completion. */
const SHELLS = {
  bash: [['bash', '--noprofile', '--norc', '-i'], 'source <(tidemark complete bash)'],
  zsh: [['zsh', '-f', '-i'], 'autoload -Uz compinit; compinit -u; source <(tidemark complete zsh)'],
  fish: [['fish', '--no-config', '-i'], 'tidemark complete fish | source'],
} as const

export type Shell = keyof typeof SHELLS

/** Whether a shell can be tested. Where it must (`CI=true`), its absence is an error. */
export function hasShell(shell: Shell): boolean {
  if (spawnSync(shell, ['--version']).status === 0) return true
  if (process.env.CI === 'true')
    throw new Error(`${shell} is not installed, and CI requires the tests of completion in it`)
  console.warn(`\n!!! SKIPPED: completion in ${shell}. Install it with: apt-get install ${shell}\n`)
  return false
}

/** A shell in a terminal, in the folder of a world, that completes `tidemark`. */
export async function openShell(world: CliWorld, shell: Shell): Promise<Terminal> {
  world.write('bin/tidemark', `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`)
  chmodSync(join(world.folder, 'bin/tidemark'), 0o755)
  const [program, setup] = SHELLS[shell]
  const env = { HOME: world.folder, PATH: `${world.folder}/bin:${process.env.PATH}` }
  const terminal = openTerminal(world, [...program], { columns: 120, env })
  terminal.type(`${setup}; echo rea''dy\r`)
  await terminal.shows(/^ready/m)
  return terminal
}
