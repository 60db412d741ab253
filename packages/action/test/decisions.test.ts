import { describe, expect, test } from 'vitest'
import { actionStep } from '../src/runner/action-step.ts'
import { actionWorld, heldElsewhere } from './world/action-world.ts'

const results = ({ outputs }: { outputs: Readonly<Record<string, string>> }) => JSON.parse(outputs.results!).results

describe('what a person decides of a source', () => {
  test('lets a blocked one go on: most of it may be deleted', async () => {
    await using world = await actionWorld()
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`${i}.md`, `# ${i}`]))
    await world.commit('docs', many)
    world.configure({ docs: { repo: 'docs' } })
    await world.run({ uses: 'sync' })
    await world.git('docs').rm(Object.keys(many).slice(0, 100))
    await world.commit('docs', {})
    const blocked = await world.run({ uses: 'sync' })
    expect(blocked).toMatchObject({ exitCode: 1, outputs: { status: 'blocked' } })
    expect(blocked.annotations[0]!.message).toContain('the Action with source: docs, allow-mass-delete: true')
    const allowed = await world.run({ uses: 'sync', with: { source: 'docs', 'allow-mass-delete': 'true' } })
    expect(allowed).toMatchObject({ exitCode: 0, outputs: { status: 'synced' } })
    expect(results(allowed)).toMatchObject([{ filesDeleted: 100 }])
  })

  test('has it written in full, and tries again what was set aside', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A', 'bad.md': '---\na: [\n---\n' })
    world.configure({ docs: { repo: 'docs' } })
    await world.run({ uses: 'sync' })
    const again = await world.run({ uses: 'sync', with: { source: 'docs', 'retry-quarantined': 'true' } })
    expect(results(again)).toMatchObject([{ status: 'synced', filesQuarantined: 1, filesUpdated: 0 }])
    const full = await world.run({ uses: 'sync', with: { source: 'docs', full: 'true' } })
    expect(results(full)).toMatchObject([{ status: 'synced', filesUpdated: 1 }])
  })

  test('takes it from a holder that is alive', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' } })
    await world.run({ uses: 'plan' })
    await heldElsewhere(world, 'sync:docs')
    expect(await world.run({ uses: 'sync' })).toMatchObject({ outputs: { status: 'busy', behind: '["docs"]' } })
    const taken = await world.run({ uses: 'sync', with: { source: 'docs', 'force-break': 'true' } })
    expect(taken).toMatchObject({ exitCode: 0, outputs: { status: 'first_sync' } })
    expect(taken.log).toContain('docs: the lease of process 7 on elsewhere was broken')
  })

  test.each([
    ['plan', 'allow-mass-delete'],
    ['plan', 'force-break'],
    ['sync', 'allow-mass-delete'],
    ['sync', 'retry-quarantined'],
    ['sync', 'full'],
    ['sync', 'force-break'],
    ['embed', 'retry-quarantined'],
  ])('is refused for all sources, before anything is touched: %s, %s', async (uses, input) => {
    await using world = await actionWorld()
    world.configure({ docs: { repo: 'docs' } }, { url: 'http://127.0.0.1:9/v1', model: 'm' })
    const refused = await world.run({ uses, with: { [input]: 'true' } })
    expect(refused.exitCode).toBe(1)
    const message = `the input ${input} is for sources that are named, and none is. Name in the input source those that it is meant for.`
    expect(refused.annotations).toMatchObject([{ level: 'error', message }])
    const tables = `SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'tidemark'`
    expect((await world.pool.query(tables)).rows).toEqual([{ n: 0 }])
  })
})

describe('a next step is told in the inputs of the Action:', () => {
  test.each([
    ['tidemark sync --source docs.v2', 'the Action with source: docs.v2'],
    [
      'If that is meant: tidemark sync --source a --allow-mass-delete; if not: tidemark sources set a --ref main',
      'If that is meant: the Action with source: a, allow-mass-delete: true; if not: tidemark sources set a --ref main',
    ],
    ['tidemark sync --source a --break-lock-if-stale 45s', 'the Action with source: a, max-age: 45s'],
    ['Leave it to the next run, or wait for it: tidemark sync --source a --wait 10m', 'Leave it to the next run'],
    [
      'tidemark embed --source a --retry-quarantined',
      'the Action with source: a, embed: true, retry-quarantined: true',
    ],
    ['or give it more time with --timeout.', 'or give it more time with the input timeout.'],
    ['tidemark sync --source a --dry-run', 'tidemark sync --source a --dry-run'],
    [
      'tidemark locks break search:a --max-age 45s',
      'Leave it: its lease ends by itself within 90 s, and the next run goes on.',
    ],
  ])('%s', (command, step) => {
    expect(actionStep(command)).toBe(step)
  })
})
