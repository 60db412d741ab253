import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { readHeads } from '../src/heads.ts'
import { budgetMs } from '../src/plan/budget.ts'
import { type Candidate, type DueSource, dueSources } from '../src/plan/due-sources.ts'
import { matrixEntries } from '../src/plan/matrix-entries.ts'
import { actionWorld } from './world/action-world.ts'

const LIMITS = { leastMs: 120_000, mostMs: 2_700_000 }
const HOUR = 3_600_000
const SYNC = { concurrency: 4, embeds: false }

function candidate(
  id: string,
  standing: Partial<Candidate['standing']> = {},
  more: Partial<Candidate> = {},
): Candidate {
  return {
    source: { id, everyMs: HOUR },
    standing: { bookmark: 'a', dirty: false, sinceCheckMs: 60_000, behindMs: null, ...standing },
    head: { commit: 'a' },
    usualMs: 200_000,
    ...more,
  }
}

const never = (n: number) =>
  Array.from({ length: n }, (_, i) => candidate(`source-${i}`, { bookmark: null, sinceCheckMs: null }))

describe('plan', () => {
  test.each([
    [0, 0],
    [1, 1],
    [4, 4],
    [256, 256],
    [257, 256],
    [2000, 256],
  ])('of %i sources makes %i jobs, with every source in exactly one', (sources, jobs) => {
    const entries = matrixEntries(dueSources(never(sources), LIMITS), SYNC)
    expect(entries).toHaveLength(jobs)
    const planned = entries.flatMap((entry) => entry.sources.split(' '))
    expect(planned.filter(Boolean).sort()).toEqual(
      never(sources)
        .map(({ source }) => source.id)
        .sort(),
    )
    expect(new Set(entries.map(({ group }) => group)).size).toBe(jobs)
    expect(Math.max(0, ...entries.map((entry) => entry['timeout-minutes']))).toBeLessThanOrEqual(360)
    // What GitHub allows the outputs of a job, in UTF-16.
    expect(JSON.stringify({ include: entries }).length * 2).toBeLessThan(1024 * 1024)
  })

  test('begins with what is most stale, and ends with what has not moved and is only due', () => {
    const due = dueSources(
      [
        candidate('fresh'),
        candidate('by-time', { sinceCheckMs: 2 * HOUR }),
        candidate('moved', { sinceCheckMs: 300_000 }, { head: { commit: 'b' } }),
        candidate('long-behind', { behindMs: 9 * HOUR }, { head: { commit: 'b' } }),
        candidate('silent', { sinceCheckMs: HOUR }, { head: { problem: 'no answer' } }),
        candidate('stopped', { dirty: true, behindMs: 10 * HOUR }),
        candidate('new', { bookmark: null, sinceCheckMs: null }),
      ],
      LIMITS,
    )
    expect(due.map(({ id, why }) => [id, why])).toEqual([
      ['new', 'never_synced'],
      ['stopped', 'unfinished'],
      ['long-behind', 'behind'],
      ['silent', 'unreachable'],
      ['moved', 'behind'],
      ['by-time', 'every'],
    ])
  })

  test('starts each packed job with one of the most stale', () => {
    const due = dueSources(
      Array.from({ length: 600 }, (_, i) => candidate(`s${i}`, { dirty: true, behindMs: i })),
      LIMITS,
    )
    const firsts = matrixEntries(due, SYNC).map(({ sources }) => sources.split(' ')[0])
    expect(firsts).toEqual(Array.from({ length: 256 }, (_, i) => `s${599 - i}`))
  })

  test('gives the most to what is left of a first sync or of one that was stopped', () => {
    const due = dueSources([candidate('stopped', { dirty: true }), candidate('new', { bookmark: null })], LIMITS)
    expect(due.map((each) => each.budgetMs)).toEqual([LIMITS.mostMs, LIMITS.mostMs])
  })

  test('gives as much as its runs took and half as much again, within limits', () => {
    expect(budgetMs(200_000, LIMITS)).toBe(300_000)
    expect(budgetMs(500, LIMITS)).toBe(LIMITS.leastMs)
    expect(budgetMs(HOUR, LIMITS)).toBe(LIMITS.mostMs)
    expect(budgetMs(null, LIMITS)).toBe(LIMITS.mostMs)
  })

  test('has one job look at all sources that have not moved', () => {
    const unmoved = Array.from({ length: 60 }, (_, i) => candidate(`s${i}`, { sinceCheckMs: 2 * HOUR }))
    const entries = matrixEntries(dueSources([candidate('moved', { dirty: true }), ...unmoved], LIMITS), SYNC)
    expect(entries.map(({ name, group }) => [name, group])).toEqual([
      ['moved', 'tidemark-sync-moved'],
      ['s0 and 59 more', 'tidemark-look-0'],
    ])
  })

  test('keeps the budgets of a crowded job within what GitHub allows a job', () => {
    const crowd = Array.from({ length: 20_000 }, (_, i) => candidate(`s${i}`, { bookmark: null }))
    const entries = matrixEntries(dueSources(crowd, LIMITS), SYNC)
    expect(Math.max(...entries.map((entry) => entry['timeout-minutes']))).toBeLessThanOrEqual(360)
  })

  test('has room in a job for what embeds its sources one after another, within what GitHub allows', () => {
    const both = (due: DueSource[]) => matrixEntries(due, { concurrency: 4, embeds: true })
    expect(both(dueSources([candidate('docs', { bookmark: null })], LIMITS))).toMatchObject([
      { timeout: '2700s', 'timeout-minutes': 45 + 45 + 5 },
    ])
    const looks = Array.from({ length: 8 }, (_, i) =>
      candidate(`s${i}`, { sinceCheckMs: 2 * HOUR }, { usualMs: 60_000 }),
    )
    expect(both(dueSources(looks, LIMITS))).toMatchObject([{ timeout: '120s', 'timeout-minutes': 4 + 16 + 5 }])
    const crowd = both(dueSources(never(2_000), LIMITS))
    expect(crowd[0]).toMatchObject({ timeout: '2100s', 'timeout-minutes': (2 + 8) * 35 + 5 })
  })

  test('has a group of its own for sources that differ in upper and lower case, which GitHub takes for one', () => {
    const twins = dueSources([candidate('docs', { dirty: true }), candidate('Docs', { dirty: true })], LIMITS)
    const groups = matrixEntries(twins, SYNC).map(({ group }) => group.toLowerCase())
    expect(new Set(groups).size).toBe(2)
  })
})

test('a server that does not answer in time holds up no other', async () => {
  await using world = await actionWorld()
  const commit = await world.commit('docs', { 'a.md': '# A' })
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const sources = [
    { id: 'silent', repo: `http://127.0.0.1:${port}/x.git`, ref: 'main' },
    { id: 'docs', repo: `${world.folder}/docs`, ref: 'main' },
  ]
  const heads = await readHeads(sources, 3_000)
  silent.close()
  expect(heads).toEqual([{ problem: 'no answer within 3 s' }, { commit }])
})

describe('the command plan', () => {
  test('warns of each source that does not answer, and of many together', async () => {
    await using world = await actionWorld()
    const gone = Array.from({ length: 14 }, (_, i) => [`gone-${i}`, { repo: `gone-${i}` }])
    world.configure(Object.fromEntries(gone))
    const { annotations } = await world.run({ uses: 'plan' })
    expect(annotations).toHaveLength(10)
    expect(annotations[0]!.title).toBe('tidemark: gone-0 did not answer')
    expect(annotations[9]).toMatchObject({ level: 'warning', title: 'tidemark: 5 more did not answer' })
  })

  test('plans 2,000 sources of one repository', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure(Object.fromEntries(never(2000).map(({ source }) => [source.id, { repo: 'docs' }])))
    const { outputs, log, exitCode } = await world.run({ uses: 'plan' })
    expect(exitCode).toBe(0)
    expect(log).toContain('2000 of 2000 sources are due, in 256 jobs')
    const [first] = JSON.parse(outputs.matrix!).include
    expect(first).toMatchObject({ name: 'source-0 and 7 more', 'timeout-minutes': 95 })

    const { sources, timeout } = first
    const synced = await world.run({ uses: 'sync', with: { sources, timeout } })
    expect(synced).toMatchObject({ exitCode: 0, outputs: { status: 'first_sync' } })
    expect(Object.keys(await world.bookmarks()).sort()).toEqual(sources.split(' ').sort())
  })

  test('reads what a source usually takes from its own newest runs', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    world.configure({ docs: { repo: 'docs' }, other: { repo: 'docs' } })
    await world.run({ uses: 'sync' })
    await world.pool.query('TRUNCATE tidemark.runs')
    await world.pool.query(`INSERT INTO tidemark.runs (source_id, started_at, finished_at, status, host, pid)
      SELECT source, now() - interval '1 day', now() - interval '1 day' + took, 'synced', 'h', 1
      FROM (SELECT 'docs', (n <= 60)::int * interval '9 min' + (n > 60)::int * interval '4 min' FROM generate_series(1, 110) n
            UNION ALL SELECT 'other', interval '20 min') AS run (source, took)`)
    await world.commit('docs', { 'b.md': '# B' })
    const { outputs } = await world.run({ uses: 'plan' })
    const timeouts = JSON.parse(outputs.matrix!).include.map((entry: any) => [entry.name, entry.timeout])
    expect(Object.fromEntries(timeouts)).toEqual({ docs: '360s', other: '1800s' })
  })
})
