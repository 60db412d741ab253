import { existsSync, readFileSync } from 'node:fs'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { BIN, cliWorld } from './world/cli-world.ts'

const help = async (...args: string[]) => (await execa(process.execPath, [BIN, ...args, '--help'])).stdout

describe('help', () => {
  test('of tidemark lists statuses and exit codes', async () => {
    const text = await help()
    for (const status of ['up_to_date', 'first_sync', 'dry_run', 'partial', 'blocked_by_failures', 'busy', 'failed'])
      expect(text).toContain(status)
    expect(text).toContain('130 after SIGINT')
  })

  test.for([
    'init',
    'sources',
    'sources list',
    'sources add',
    'sources set',
    'sources rename',
    'sources remove',
    'sync',
    'watch',
    'embed',
    'search',
    'show',
    'changes',
    'mcp',
    'status',
    'runs',
    'quarantine',
    'locks',
    'locks list',
    'locks break',
    'doctor',
    'metrics',
    'migrate',
    'prune',
    'complete',
  ])('of %s has an example and the options of every command', async (command) => {
    const text = await help(...command.split(' '))
    expect(text).toMatch(/Examples?:\n {2}\$ /)
    for (const option of ['--config', '--database', '--json', '--quiet', '--verbose', '--no-color'])
      expect(text).toContain(option)
  })
})

describe('tidemark complete', () => {
  const asked = async (...args: string[]) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', 'sources: { docs: { repo: docs }, wiki: { repo: docs } }')
    const { stdout } = await world.runEach(['complete', '--', ...args])
    return stdout.split('\n').map((line) => line.split('\t')[0])
  }

  test('knows commands, options and the names of sources', async () => {
    expect(await asked('sy')).toContain('sync')
    expect(await asked('sync', '--dry')).toContain('--dry-run')
    expect(await asked('sync', '--source', '')).toEqual(expect.arrayContaining(['docs', 'wiki']))
    expect(await asked('embed', '--source', '')).toEqual(expect.arrayContaining(['docs', 'wiki']))
    expect(await asked('search', '--source', 'w')).toContain('wiki')
    expect(await asked('search', '--mode', '')).toEqual(expect.arrayContaining(['text', 'vector', 'hybrid']))
    expect(await asked('sources', 'remove', 'w')).toContain('wiki')
    expect(await asked('locks', 'break', '')).toContain('sync:docs')
    expect(await asked('sync', '--p')).toContain('--ping')
    expect(await asked('embed', '--log', '')).toEqual(expect.arrayContaining(['text', 'json']))
    expect(await asked('metrics', '--o')).toContain('--output')
  })

  test.each(['bash', 'zsh', 'fish'])('prints a script for %s', async (shell) => {
    const { stdout } = await execa(process.execPath, [BIN, 'complete', shell])
    expect(stdout).toContain('tidemark complete')
  })
})

/** Runs the command, and tells which files it has loaded. */
async function loadedBy(folder: string, ...args: string[]) {
  const told = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => (process.stderr.write(url + '\\n'), next(url, context)) })`
  const node = [`--import=data:text/javascript,${encodeURIComponent(told)}`, BIN, ...args]
  const { stdout, stderr } = await execa(process.execPath, node, { cwd: folder })
  return { stdout, loaded: stderr.split('\n') }
}

test('--version is the version of the package, and loads neither configuration nor database nor git', async () => {
  const { stdout, loaded } = await loadedBy('.', '--version')
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/)
  expect(loaded.filter((url) => /sync-core|execa|zod|yaml|\/pg\/|pglite/.test(url))).toEqual([])
})

test('only mcp loads what the protocol for assistants needs', async () => {
  using world = await cliWorld()
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs } }')
  const { loaded } = await loadedBy(world.folder, 'sources', 'list')
  // What rolldown brings of its own has no map.
  const maps = loaded.filter((url) => url.includes('/cli/dist/')).map((url) => new URL(`${url}.map`))
  const made = maps
    .filter((map) => existsSync(map))
    .flatMap((map) => JSON.parse(readFileSync(map, 'utf8')).sources as string[])
  expect(made.filter((source) => source.includes('/zod/v4/mini/'))).not.toEqual([])
  expect(made.filter((source) => /modelcontextprotocol|\/ajv\/|\/zod\/v3|\/zod\/v4\/classic/.test(source))).toEqual([])
})
