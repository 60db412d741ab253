import { engines } from '@tidemark/test-engines'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { describe, expect, test } from 'vitest'
import type { SyncResult } from '../../src/index.ts'
import { corpora } from '../world/corpora.ts'
import { cloneBundle } from '../world/test-repository.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

/** The most that a batch holds, and so the most that a stopped run may have read without storing it. */
const BATCH = 500

/** Syncs with small random budgets until a run is not stopped any more. */
async function syncInPieces(world: TestWorld, random: () => number, longestMs: number): Promise<SyncResult[]> {
  const runs: SyncResult[] = []
  for (let patience = 1; ; patience *= 1.4) {
    const run = await world.sync({ budgetMs: Math.ceil(random() * longestMs * patience) })
    runs.push(run)
    if (run.status !== 'partial') return runs
  }
}

interface State {
  readonly tree: Record<string, string>
  readonly ids: Record<string, string>
}

/** Pages that should have kept their id and have not: the unchanged, and those whose only copy moved. */
function lostIds(before: State, after: State): string[] {
  const unchanged = Object.keys(after.tree).filter((path) => before.tree[path] === after.tree[path])
  const movedFrom = onlyPaths(before, after)
  const movedTo = onlyPaths(after, before)
  const moved = [...movedTo].filter(([blob]) => movedFrom.has(blob))
  return [
    ...unchanged.filter((path) => before.ids[path] !== after.ids[path]),
    ...moved
      .map(([blob, path]) => [movedFrom.get(blob)!, path] as const)
      .filter(([from, path]) => before.ids[from] !== after.ids[path])
      .map(([from, path]) => `${from} → ${path}`),
  ]
}

/** The blobs that one tree has once, at a path that the other has not; `blob → path`. */
function onlyPaths({ tree }: State, other: State): Map<string, string> {
  const paths = Map.groupBy(Object.entries(tree), ([, blob]) => blob)
  const only = [...paths].filter(([, entries]) => entries.length === 1 && !(entries[0]![0] in other.tree))
  return new Map(only.map(([blob, entries]) => [blob, entries[0]![0]]))
}

/** So many of the items, the first and the last among them. */
function evenly<T>(items: readonly T[], count: number): T[] {
  if (count >= items.length) return [...items]
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!)
}

const sum = (runs: SyncResult[], of: (run: SyncResult) => number) => runs.reduce((total, run) => total + of(run), 0)
const stored = (run: SyncResult) => run.filesImported + run.filesUpdated + run.filesRenamed + run.filesQuarantined

describe.each(engines)('a source in %s', (engine) => {
  test.each(corpora())(
    'of the $name corpus, synced in many stopped runs, equals one that was never stopped',
    { timeout: 300_000 },
    async ({ bundle }) => {
      const random = seededRandom(1)
      await using undisturbed = await testWorld({ engine, repository: await cloneBundle(bundle) })
      const whole = await undisturbed.sync()
      expect(whole.status).toBe('first_sync')
      const expected = await undisturbed.contents()
      await undisturbed.empty()

      await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
      const runs = await syncInPieces(world, random, whole.elapsedMs / 4)
      const stops = runs.length - 1
      expect(runs.at(-1)!.status).toBe('first_sync')
      expect(stops).toBeGreaterThan(1)
      expect(sum(runs, stored)).toBe(stored(whole))
      for (const run of runs.slice(0, -1)) {
        expect(run).toMatchObject({ status: 'partial', reason: 'timeout', bookmark: null })
        expect(run.blobsRead - stored(run)).toBeLessThanOrEqual(BATCH)
      }
      expect(await world.pages()).toEqual(await world.repository.tree('main'))
      expect(await world.contents()).toEqual(expected)
    },
  )

  test.each(corpora())(
    'of the $name corpus follows its history forwards, in jumps and backwards, whatever stops it',
    { timeout: 900_000 },
    async ({ bundle, points, fresh }) => {
      const random = seededRandom(2)
      await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
      const commits = (await world.repository.git.raw('rev-list', '--first-parent', '--reverse', 'main')).split('\n')
      const history = evenly(commits, points)
      const moveTo = (commit: string) => world.repository.git.raw('update-ref', 'refs/heads/main', commit)
      const digests = new Map<string, string>()
      let importMs = 0
      for (const commit of evenly(history, fresh)) {
        await moveTo(commit)
        await world.empty()
        importMs = (await world.sync()).elapsedMs
        digests.set(commit, await world.digest())
      }
      await world.empty()

      const jumps = Array.from({ length: points / 3 }, () => history[Math.floor(random() * history.length)]!)
      let before: State = { tree: {}, ids: {} }
      for (const commit of [...history, ...jumps, ...history.slice(0, 4).reverse()]) {
        await moveTo(commit)
        // Every other one in peace: what a stopped run has left is then found by one that is not.
        if (random() < 0.5) await syncInPieces(world, random, importMs / 2)
        else expect(await world.sync()).toMatchObject({ bookmark: commit })
        const after = { tree: await world.repository.tree('main'), ids: await world.ids() }
        expect(await world.pages()).toEqual(after.tree)
        expect(lostIds(before, after)).toEqual([])
        const { rows } = await world.db.query('SELECT bookmark, dirty FROM tidemark.sources')
        expect(rows).toEqual([{ bookmark: commit, dirty: false }])
        if (digests.has(commit)) expect(await world.digest()).toBe(digests.get(commit))
        before = after
      }
    },
  )

  test('whose branch moves back between two stopped runs keeps nothing of the abandoned commit', async () => {
    const { bundle } = corpora()[0]!
    await using world = await testWorld({ engine, repository: await cloneBundle(bundle) })
    const commits = (await world.repository.git.raw('rev-list', 'main')).split('\n')
    const [newest = '', older = ''] = commits.filter((_, i) => i % 12 === 0)
    const stop = new AbortController()
    const first = await world.sync({
      signal: stop.signal,
      onProgress: ({ done }) => done > 0 && stop.abort(),
    })
    expect(first).toMatchObject({ status: 'partial', reason: 'cancelled', target: newest, bookmark: null })
    expect(stored(first)).toBeGreaterThan(0)
    await world.repository.git.raw('update-ref', 'refs/heads/main', older)
    expect(await world.sync()).toMatchObject({ status: 'first_sync', bookmark: older })
    expect(await world.pages()).toEqual(await world.repository.tree(older))
  })
})
