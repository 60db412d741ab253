import { beforeAll, describe, expect, test } from 'vitest'
import { matrixEntries } from '../src/plan/matrix-entries.ts'
import { type ActionWorld, actionWorld, heldElsewhere } from './world/action-world.ts'

const planned = ({ outputs }: { outputs: Readonly<Record<string, string>> }) =>
  JSON.parse(outputs.matrix!).include.map(({ name }: { name: string }) => name)

describe('a plan of a source that someone is at', () => {
  let world: ActionWorld
  beforeAll(async () => {
    world = await actionWorld()
    for (const name of ['docs', 'wiki']) await world.commit(name, { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' }, wiki: { repo: 'wiki' } })
    await world.run({ uses: 'plan' })
    return () => world[Symbol.asyncDispose]()
  })

  test.each(['sync:docs', 'search:docs'])('leaves it out while %s is held, and says who holds it', async (key) => {
    await heldElsewhere(world, key)
    const wave = await world.run({ uses: 'plan' })
    await heldElsewhere(world, key, '-1 s')
    expect(planned(wave)).toEqual(['wiki'])
    expect(wave.outputs).toMatchObject({ behind: '["docs","wiki"]' })
    for (const text of [wave.log, wave.summary]) {
      expect(text).toContain('1 of 2 sources are due, in 1 job, 1 left out, because someone is at it')
      expect(text).toContain(`process 7 on elsewhere ${key.startsWith('sync') ? 'syncs' : 'indexes'} it, for 3m`)
    }
  })

  test('has it again once that lease is over', async () => {
    await heldElsewhere(world, 'sync:docs', '-1 s')
    expect(planned(await world.run({ uses: 'plan' }))).toEqual(['docs', 'wiki'])
  })

  test('leaves out what is being embedded where jobs embed, because their next ones would wait', async () => {
    await heldElsewhere(world, 'embed:docs')
    expect(planned(await world.run({ uses: 'plan' }))).toEqual(['docs', 'wiki'])
    expect(planned(await world.run({ uses: 'plan', with: { embed: 'true' } }))).toEqual(['wiki'])
    await heldElsewhere(world, 'embed:docs', '-1 s')
  })

  test('leaves it out although it is named, unless a person has decided something about it', async () => {
    await heldElsewhere(world, 'sync:docs')
    expect(planned(await world.run({ uses: 'plan', with: { source: 'docs' } }))).toEqual([])
    const decided = await world.run({ uses: 'plan', with: { source: 'docs', 'force-break': 'true' } })
    expect(planned(decided)).toEqual(['docs'])
    await heldElsewhere(world, 'sync:docs', '-1 s')
  })
})

test('a job of several sources waits for no job of another wave, which would be cancelled for the next', () => {
  const due = Array.from({ length: 300 }, (_, i) => ({
    id: `s${i}`,
    reason: i < 290 ? ('behind' as const) : ('every' as const),
    staleMs: 1,
    budgetMs: 1,
  }))
  const shared = (wave: string) =>
    matrixEntries(due, { concurrency: 4, embeds: false, wave })
      .filter(({ sources }) => sources.includes(' '))
      .map(({ group }) => group)
  expect(shared('a').length).toBeGreaterThan(1)
  expect(shared('a').filter((group) => shared('b').includes(group))).toEqual([])
})
