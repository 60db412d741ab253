import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secretsIn } from '../src/runner/secrets.ts'
import { type ActionWorld, actionWorld } from './world/action-world.ts'

let world: ActionWorld
beforeAll(async () => {
  world = await actionWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

describe('a hostile name', () => {
  test.each(['two words', "'; rm -rf ~ #", '"quoted"', '$(id)', '🌊', '${{ secrets.X }}', 'a\nb::error::x'])(
    'in tidemark.yaml is refused before anything is touched: %j',
    async (name) => {
      world.configure({ [name]: { repo: 'docs' } })
      const ended = await world.run({ uses: 'plan' })
      expect(ended).toMatchObject({ exitCode: 1, outputs: {} })
      expect(ended.annotations).toMatchObject([
        { level: 'error', message: expect.stringContaining('cannot be the name of a source') },
      ])
      const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'tidemark'`
      expect((await world.pool.query(tables)).rows).toEqual([{ n: 0 }])
    },
  )

  test('in an input names no source, and is told as it is', async () => {
    world.configure({ docs: { repo: 'docs' } })
    const ended = await world.run({ uses: 'sync', with: { source: '$(touch/pwned)`id`"🌊"' } })
    expect(ended).toMatchObject({ exitCode: 1, outputs: {} })
    expect(ended.annotations[0]!.message).toContain('there is no source "$(touch/pwned)`id`\\"🌊\\""')
  })
})

describe('bad input', () => {
  test.each([
    [{ command: 'sink' }, 'the input command is "sink". Give one of plan, sync, embed, break-stale, status.'],
    [{ command: 'sync', timeout: '0' }, 'the input timeout: "0" is not a duration'],
    [{ command: 'sync', concurrency: '1.5' }, 'the input concurrency is "1.5"'],
    [{ command: 'sync', 'fail-on': 'always' }, 'the input fail-on is "always". Give one of failed, blocked, never.'],
    [{ command: 'plan', config: 'nowhere.yaml' }, 'there is no file'],
    [{ command: 'plan', 'database-url': '.tidemark/db' }, 'the Action needs a Postgres'],
    [{ command: 'plan', 'database-url': 'postgres://me:s3cr%40t@127.0.0.1:9/x' }, 'does not answer'],
  ])('is told in one line that says what to do: %j', async (inputs, message) => {
    world.configure({ docs: { repo: 'docs' } })
    const ended = await world.run({ with: inputs })
    expect(ended.exitCode).toBe(1)
    expect(ended.annotations).toMatchObject([{ level: 'error', message: expect.stringContaining(message) }])
  })
})

describe('secrets', () => {
  test('that GitHub would drop the matrix for are told by plan', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' }, wiki: { repo: 'http://bot:docs@127.0.0.1:9/wiki.git' } })
    const ended = await world.run({ uses: 'plan' })
    expect(ended).toMatchObject({ exitCode: 1, outputs: {} })
    expect(ended.annotations.at(-1)!.message).toContain('GitHub passes on no output that holds a secret')
  })

  test.each([
    ['a token that no address uses', 'docs'],
    ['a line of a secret of several', '{\n  "token": "x"\n}'],
  ])(
    'that GitHub would drop an output for are told by plan and status, whose outputs stay unknown: %s',
    async (_, token) => {
      await using world = await actionWorld()
      await world.commit('docs', { 'a.md': '# A' })
      world.configure({ docs: { repo: 'docs' } })
      const env = { GIT_TOKEN: token }
      const plan = await world.run({ uses: 'plan', env })
      expect(plan).toMatchObject({ exitCode: 1, outputs: { any: 'false', behind: 'unknown' } })
      expect(plan.annotations.at(-1)!.message).toContain('GitHub passes on no output that holds a secret')
      if (token !== 'docs') return
      expect(await world.run({ uses: 'status', env })).toMatchObject({ exitCode: 1, outputs: { behind: 'unknown' } })
    },
  )

  test.each([
    ['postgres://me:p%40ss@host/db', ['p%40ss', 'p@ss']],
    ['postgres://me:100%@host/db?sslpassword=k', ['100%', 'k']],
    ['https://token123@host/x.git', ['token123']],
    ['https://u:t@host/x.git?access_token=z', ['t', 'z']],
    ['postgres://me@host/db', []],
    ['../docs', []],
  ])('of an address are its passwords and tokens, as written and as used: %s', (address, secrets) => {
    expect(secretsIn(address)).toEqual(secrets)
  })

  test('are masked before anything else is printed, and are in no output, summary or state', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' }, wiki: { repo: 'http://bot:t0k%2Fen@127.0.0.1:9/wiki.git' } })
    const role = `role_${randomUUID().replaceAll('-', '')}`
    await world.pool.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'p@ss-word'`)
    const url = new URL(world.database)
    url.username = role
    url.password = 'p@ss-word'
    const ended = await world.run({
      uses: 'sync',
      env: { DATABASE_URL: undefined },
      with: { 'database-url': url.href, 'fail-on': 'never' },
    })
    expect(ended.exitCode).toBe(0)
    const masks = [...ended.log.matchAll(/^::add-mask::(.*)$/gm)].map(([, masked]) => masked)
    expect(masks).toEqual(expect.arrayContaining(['p%2540ss-word', 'p@ss-word', 't0k%252Fen', 't0k/en']))
    const [beforeMasks = ''] = ended.log.split('::add-mask::')
    expect(beforeMasks).toBe('')
    const rest = [ended.log.replaceAll(/^::add-mask::.*$/gm, ''), ended.summary, ...Object.values(ended.outputs)]
    for (const text of rest) expect(text).not.toMatch(/p(%40|@)ss-word|t0k(%2F|\/)en/)
  })
})
