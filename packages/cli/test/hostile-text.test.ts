import { type FreshDatabase, freshDatabase } from '@tidemark/test-engines'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'
import { runInTerminal } from './world/terminal.ts'

// A title that sets the title of the window and forges a line, a path that clears the screen and turns text around, and
// a body that does all of it, also by the control characters of one byte.
const TITLE = 'Evil\u001b]0;owned\u0007\nforged  guide:forged.md'
const PATH = 'a\u001b[2J\nb\u202e\u009b31m.md'
const BODY = 'Quokka\u001b[31m red\u007f,\ttab\u009b2J\u202eback.\r\nSecond line.\n'
/** Those that the command itself uses. */
const COLOURS = /\p{Cc}\[(?:1|2|22|36|39)m/gu
const UNSAFE = /(?!\n)[\p{Cc}\u202a-\u202e\u2066-\u2069]/u

let world: CliWorld
let database: FreshDatabase
beforeAll(async () => {
  world = await cliWorld()
  database = await freshDatabase('postgres')
  world.write(`guide/${PATH}`, `---\ntitle: ${JSON.stringify(TITLE)}\nnote: "x\\e[1my"\n---\n${BODY}`)
  world.write('guide/b.md', `See [it](<a%1B[2J%0Ab%E2%80%AE%C2%9B31m.md>) and [no](<none%1B[2J.md>).`)
  world.write('guide/bad\u001b[2J.md', 'nul \0')
  await world.git('guide').init()
  await world.commit('guide')
  world.write('tidemark.yaml', 'sources: { guide: { repo: guide } }')
})
afterAll(async () => {
  world[Symbol.dispose]()
  await database.drop()
})

const env = () => ({ DATABASE_URL: database.url })
const run = (args: string) => world.run(args, env())
const SHOWN_PATH = 'a␛[2J␊b<U+202E><U+009B>31m.md'

describe('what a repository has of control characters', () => {
  test('is shown as symbols by a sync, its dry run, warnings, status, runs and doctor', async () => {
    const dryRun = await run('sync --all --dry-run')
    expect(dryRun.stdout).toContain(`+ ${SHOWN_PATH}`)
    const outputs = [dryRun]
    for (const args of ['sync --all --verbose', 'status', 'runs', 'doctor', 'search "', `show guide:none\u001b[2J`])
      outputs.push(await run(args))
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toMatch(UNSAFE)
    expect(outputs.at(-1)!.stderr).toContain('has no page none␛[2J')
  })

  test('is shown as symbols by search, and begins no line of it', async () => {
    const { stdout } = await run('search quokka')
    expect(stdout).not.toMatch(UNSAFE)
    expect(stdout.split('\n')).toEqual([
      `Evil␛]0;owned␇␊forged  guide:forged.md  'guide:${SHOWN_PATH}'`,
      expect.stringMatching(/^ {2}synced /),
      '  Quokka␛[31m red␡, tab<U+009B>2J<U+202E>back. Second line.',
    ])
  })

  test('is shown as symbols by show on a terminal, where a page keeps its lines and tabs', async () => {
    const terminal = runInTerminal(world, `show guide:${PATH}`, { env: env(), columns: 200 })
    await terminal.ended()
    const raw = terminal.raw()
    expect(raw.replace(COLOURS, '')).not.toMatch(/(?![\n\r\t])[\p{Cc}\u202e]/u)
    expect(raw).toContain('\u001b[1mEvil␛]0;owned␇␊forged  guide:forged.md\u001b[22m')
    expect(raw).toContain('Quokka␛[31m red␡,\ttab<U+009B>2J<U+202E>back.\r')
  })

  test('comes byte for byte in the text of a page that show writes to a pipe', async () => {
    const { stdout } = await run(`show guide:${PATH}`)
    expect(stdout).toContain(`\n\n${BODY.trimEnd()}`)
    const [head] = stdout.split('\n')
    expect(head).toBe(`Evil␛]0;owned␇␊forged  guide:forged.md  'guide:${SHOWN_PATH}'`)
    const links = (await run('show guide:b.md')).stdout
    expect(links).toContain(`→ 'guide:${SHOWN_PATH}'`)
    expect(links).not.toMatch(UNSAFE)
  })

  test('gives no command to the runner of a workflow whose log it is in', async () => {
    world.write('steps/##[add-mask]a.md', '# ::add-mask::guide\n\n  ::stop-commands::x\n\n:::tip ##[error]Wombat :::\n')
    world.write('steps/b.md', `---\ntitle: "::add-mask::b"\n---\n::warning file=a::Wombat [a](<##[add-mask]a.md>)`)
    await world.git('steps').init()
    await world.commit('steps')
    world.write('steps.yaml', 'sources: { steps: { repo: steps } }')
    const inLog = { ...env(), GITHUB_ACTIONS: 'true' }
    const outputs = []
    for (const args of [
      'sync --all --dry-run',
      'sync --all --verbose',
      'search wombat',
      'search wombat --json',
      'show steps:##[add-mask]a.md',
      'show steps:b.md',
      'show ::add-mask::x:##[error]',
    ])
      outputs.push(await world.run(`${args} --config steps.yaml`, inLog))
    const lines = outputs.flatMap(({ stdout, stderr }) => `${stdout}\n${stderr}`.split(/\r\n|\r|\n/))
    // As the runner looks for them.
    expect(lines.filter((line) => /^\s*::[^:].*::/.test(line) || line.includes('##['))).toEqual([])
    expect(outputs[4]!.stdout).toContain('\n  : :stop-commands::x\n\n:::tip ## [error]Wombat :::')
    expect(JSON.parse(outputs[3]!.stdout).hits).toContainEqual(expect.objectContaining({ title: '::add-mask::b' }))
  })

  test('is escaped in JSON, and comes back from it as it is', async () => {
    const { stdout } = await run('search quokka --json')
    expect(stdout).not.toMatch(UNSAFE)
    expect(JSON.parse(stdout).hits[0]).toMatchObject({ title: TITLE, path: PATH })
  })
})
