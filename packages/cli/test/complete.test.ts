import { describe, expect, test } from 'vitest'
import { cliWorld } from './world/cli-world.ts'
import { hasShell, openShell, type Shell } from './world/shells.ts'

const SHELLS: Shell[] = ['bash', 'zsh', 'fish']

describe.each(SHELLS.filter(hasShell))('in a real %s, tab completes', (shell) => {
  test.for([
    ['the name of a command', 'tidemark quar', 'tidemark quarantine'],
    ['the name of a source', 'tidemark sync --source docu', 'tidemark sync --source documentation'],
    ['the name of a source after "="', 'tidemark sync --source=docu', 'tidemark sync --source=documentation'],
    [
      'the key of a lease, which has a colon',
      'tidemark locks break sync:docu',
      'tidemark locks break sync:documentation',
    ],
    ['the key of a lease from nothing', 'tidemark locks break ', 'tidemark locks break sync:documentation'],
    ['a global option after the command', 'tidemark sync --databa', 'tidemark sync --database'],
    ['an option after a global one', 'tidemark --config settings.yaml sync --retry-q', 'sync --retry-quarantined'],
    ['the name of a file', 'tidemark status --config setti', 'tidemark status --config settings.yaml'],
    [
      'the sources of the configuration that is named',
      'tidemark sync --config settings.yaml --source wi',
      '--source wiki',
    ],
  ])('%s', { timeout: 120_000 }, async ([, typed, completed]) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { documentation: { repo: docs } }')
    world.write('settings.yaml', 'sources: { wiki: { repo: docs } }')
    const terminal = await openShell(world, shell)
    terminal.type(`${typed}\t`)
    await terminal.shows(new RegExp(`${completed!.replaceAll(/[.*+?]/g, '\\$&')}(\\s|$)`))
    terminal.close()
  })
})

test('what follows a mistyped command is not taken for help of another', async () => {
  using world = await cliWorld()
  for (const args of ['bogus --help', 'sources bogus --help', 'locks bogus --help', 'syncc -h'])
    expect({ args, ...(await world.run(args)) }).toMatchObject({
      args,
      exitCode: 2,
      stderr: expect.stringContaining("unknown command '"),
    })
  for (const args of ['--help', 'help', 'sources --help', 'locks --help', 'locks break --help', 'help sync'])
    expect({ args, ...(await world.run(args)) }).toMatchObject({ args, exitCode: 0, stderr: '' })
})
