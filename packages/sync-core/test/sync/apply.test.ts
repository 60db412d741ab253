import { setImmediate } from 'node:timers/promises'
import type { Lease } from '@tidemark/lock'
import { descendants } from '@tidemark/test-engines/processes'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Database } from '../../src/database/database.ts'
import { compressedList } from '../../src/plan/compressed-list.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { startBudget } from '../../src/run/budget.ts'
import { noCounts } from '../../src/run/outcome.ts'
import { startProgress } from '../../src/run/progress.ts'
import { applyPlan } from '../../src/sync/apply.ts'
import { type Applying, prepareBatches } from '../../src/sync/prepare-batches.ts'
import { coded } from '../world/scripted-database.ts'
import { emptyRepository, type TestRepository } from '../world/test-repository.ts'

let repository: TestRepository
const blobs: Record<string, string> = {}
beforeAll(async () => {
  repository = await emptyRepository()
  const texts = { text: 'text', bad: 'a\0', long: 'x'.repeat(2_048), huge: 'word '.repeat(8_000) }
  for (const [name, text] of Object.entries(texts)) blobs[name] = await repository.add(`${name}.md`, text)
})
afterAll(() => repository.remove())

interface Given {
  /** `path`, or `path blob` where the blob is another than that of most files. */
  readonly writes?: readonly string[]
  /** The same with the number of a cycle before it, or "-". */
  readonly renames?: readonly string[]
  readonly deletes?: number
  readonly rejected?: readonly string[]
  readonly cleared?: readonly string[]
  readonly counts?: Partial<Plan['counts']>
}

function planOf({ writes = [], renames = [], deletes = 0, rejected = [], cleared = [], counts }: Given): Plan {
  const lists = { renames: compressedList<any>(), writes: compressedList<any>(), deletes: compressedList<any>() }
  const file = (text: string) => {
    const [path, blob = 'text'] = text.split(' ')
    return { path, blobOid: blobs[blob]!, oldBlobOid: null }
  }
  for (const text of writes) lists.writes.push({ ...file(text), id: text.startsWith('old') ? `1` : null })
  for (const text of renames) {
    const [cycle, ...rest] = text.split(' ')
    lists.renames.push({ ...file(rest.join(' ')), id: '2', from: 'x', cycle: cycle === '-' ? null : Number(cycle) })
  }
  for (let i = 0; i < deletes; i++) lists.deletes.push({ id: `${i}`, path: `${i}.md`, blobOid: '' })
  return {
    ...lists,
    rejected: rejected.map((path) => ({ path, blobOid: 'b', code: 'path_too_long', message: 'm' })),
    quarantineCleared: cleared,
    counts: { ...noCounts(), filesImported: writes.length, ...counts },
  } as unknown as Plan
}

/** What one statement writes. */
interface Written {
  readonly paths: string[]
  readonly quarantined: { path: string; code: string; message: string }[]
  readonly deleted: number
  readonly cleared: string[]
}

interface Surroundings {
  /** Is called for each statement before it is done. */
  readonly onWrite?: (batch: Written) => unknown
  readonly lease?: Partial<Lease>
  readonly signal?: AbortSignal
  readonly budgetMs?: number
  readonly failedBefore?: number
}

/** A run that carries a plan out: with a real repository, and a database that keeps what it is sent. */
function runOf(given: Given, more: Surroundings = {}) {
  const { onWrite, failedBefore = 0, signal = new AbortController().signal } = more
  const written: Written[] = []
  const query = async (_: string, [, , , pages, , , quarantined, deletedIds, cleared]: string[]) => {
    const paths = JSON.parse(pages!).map(({ path }: { path: string }) => path)
    const ids = deletedIds!.slice(1, -1).split(',').filter(Boolean)
    const batch = { paths, quarantined: JSON.parse(quarantined!), deleted: ids.length, cleared: JSON.parse(cleared!) }
    await onWrite?.(batch)
    written.push(batch)
    return { rows: [{}] }
  }
  const lease = { key: 'sync:docs', fenceSql: () => ({ text: '', params: [1] }), assertHeld() {}, ...more.lease }
  const held = { lease, signal, db: { query } as unknown as Database } as unknown as Applying['held']
  const progress = startProgress('docs', () => {})
  const budget = startBudget({ budgetMs: more.budgetMs })
  const { folder } = repository
  const plan = planOf(given)
  const applying: Applying = {
    plan,
    sourceId: 'docs',
    folder,
    fetchBlobs: null,
    failedBefore,
    held,
    budget,
    progress,
    follower: null,
  }
  return { applying, progress, written }
}

/** A clock that only a test moves; timers go on by the real one. */
function stoppedClock() {
  let now = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
  return {
    advance(ms: number) {
      now += ms
    },
    [Symbol.dispose]: () => clock.mockRestore(),
  }
}

const files = (count: number, blob = 'text') => Array.from({ length: count }, (_, i) => `p${i}.md ${blob}`)

describe('a plan is cut into batches', () => {
  const batches = async (given: Given, maxPages = 500) => {
    const { applying, progress } = runOf(given)
    const all = await Array.fromAsync(prepareBatches(applying, () => maxPages))
    return { all, sizes: all.map(({ size }) => size), blobsRead: progress.counts().blobsRead }
  }

  test('of as many files as may be then, those set aside among them', async () => {
    expect((await batches({ writes: files(5) }, 2)).sizes).toEqual([2, 2, 1])
    const { all, sizes, blobsRead } = await batches({ writes: ['a.md', 'old.md bad', 'b.md bad', 'c.md'] }, 2)
    expect(sizes).toEqual([2, 2])
    expect(blobsRead).toBe(4)
    expect(all.map(({ pages }) => pages.map(({ path }) => path))).toEqual([['a.md'], ['c.md']])
    expect(all[0]).toMatchObject({ quarantined: [{ path: 'old.md', code: 'nul' }], deletedIds: ['1'] })
    expect(all[1]).toMatchObject({ quarantined: [{ path: 'b.md', code: 'nul' }], deletedIds: [] })
  })

  test('that keep the order of files of which a process parses some, to the last', async () => {
    const writes = ['a.md', 'b.md huge', 'c.md', 'd.md huge', 'e.md bad']
    expect((await batches({ writes })).sizes).toEqual([5])
    const { all } = await batches({ writes }, 1)
    const paths = all.map(({ pages, quarantined }) => [...pages, ...quarantined].map(({ path }) => path).join())
    expect(paths).toEqual(['a.md', 'b.md', 'c.md', 'd.md', 'e.md'])
  })

  test('of no more than a statement may carry', async () => {
    // Text and chunk of each have 4 KB together.
    expect((await batches({ writes: files(257, 'long') })).sizes).toEqual([256, 1])
  })

  test('that part no cycle of renames', async () => {
    const { all } = await batches(
      { renames: ['- a', '0 b', '0 c', '0 d', '1 e', '1 f', '- g', '- h'], writes: ['i'] },
      1,
    )
    const paths = all.map(({ pages }) => pages.map(({ path }) => path).join(''))
    expect(paths).toEqual(['a', 'bcd', 'ef', 'g', 'h', 'i'])
  })

  test('of 2,000 deletions', async () => {
    const { all, sizes } = await batches({ writes: ['a.md'], deletes: 4_001 })
    expect(all.map(({ deletedIds }) => deletedIds.length)).toEqual([2_000, 2_000, 1])
    expect(sizes).toEqual([1, 0, 0])
    expect((await batches({ deletes: 2_000 })).all).toHaveLength(1)
  })

  test('the first of which has what the plan knew without reading', async () => {
    const { all } = await batches({ rejected: ['long.md'], cleared: ['gone.md'] })
    expect(all).toMatchObject([{ quarantineCleared: ['gone.md'], deletedIds: [] }])
    expect(all[0]!.quarantined).toEqual([{ path: 'long.md', blobOid: 'b', code: 'path_too_long', message: 'm' }])
    expect((await batches({ cleared: ['gone.md'], writes: files(2) }, 1)).all).toMatchObject([
      { quarantineCleared: ['gone.md'] },
      { quarantineCleared: [] },
    ])
  })

  test('none where there is nothing to do', async () => {
    expect((await batches({})).all).toEqual([])
  })
})

describe('a plan is carried out', () => {
  test('in its order and all of it', async () => {
    const { applying, progress, written } = runOf({ renames: ['- z.md'], writes: files(60), deletes: 3 })
    await applyPlan(applying)
    expect(written.flatMap(({ paths }) => paths)).toEqual(['z.md', ...files(60).map((file) => file.split(' ')[0])])
    expect(written.at(-1)!.deleted).toBe(3)
    expect(progress.counts()).toMatchObject({ filesImported: 60, filesRenamed: 1, filesDeleted: 3, blobsRead: 61 })
  })

  test('in growing batches where the database is quick, and in smaller ones where it is slow', async () => {
    using clock = stoppedClock()
    const quick = runOf({ writes: files(2_000) })
    await applyPlan(quick.applying)
    const sizes = quick.written.map(({ paths }) => paths.length)
    expect(sizes[0]).toBe(25)
    expect(Math.max(...sizes)).toBe(500)
    const slow = runOf({ writes: files(200) }, { onWrite: () => clock.advance(1_000) })
    await applyPlan(slow.applying)
    expect(slow.written[0]!.paths).toHaveLength(25)
    expect(slow.written.at(-2)!.paths.length).toBeLessThan(5)
  })

  test('reading the next files while the database writes', async () => {
    const { applying, progress } = runOf(
      { writes: files(50) },
      {
        async onWrite() {
          while (progress.counts().blobsRead < 50) await setImmediate()
        },
      },
    )
    await applyPlan(applying)
    expect(progress.counts()).toMatchObject({ filesImported: 50 })
  })
})

describe('nothing more is written', () => {
  /** Runs into the end that is expected, and returns how many statements came before it. */
  const statementsBefore = async (expected: string, { applying, written }: ReturnType<typeof runOf>) => {
    await expect(applyPlan(applying)).rejects.toThrow(expected)
    return written.length
  }

  test('once the lease is lost', async () => {
    let asked = 0
    const assertHeld = () => {
      if (++asked === 2) throw new Error('lost')
    }
    expect(await statementsBefore('lost', runOf({ writes: files(100) }, { lease: { assertHeld } }))).toBe(1)
  })

  test('once the run is stopped, though more is read already', async () => {
    const stop = new AbortController()
    const onWrite = () => stop.abort(new Error('enough'))
    expect(await statementsBefore('enough', runOf({ deletes: 6_000 }, { signal: stop.signal, onWrite }))).toBe(1)
  })

  test('once the budget is spent, though no timer could say so', async () => {
    using clock = stoppedClock()
    const onWrite = () => clock.advance(60_000)
    const stopped = runOf({ deletes: 6_000 }, { budgetMs: 60_000, onWrite })
    expect(await statementsBefore('the budget is spent', stopped)).toBe(1)
  })

  test('once the database fails, which leaves no process and no failure behind', async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', onUnhandled)
    blobs.missing = 'f00'.padEnd(40, '0')
    const onWrite = async () => {
      // Until the file behind has been found missing.
      while (descendants().some((line) => line.includes('cat-file'))) await setImmediate()
      throw new Error('down')
    }
    expect(await statementsBefore('down', runOf({ writes: [...files(26), 'gone.md missing'] }, { onWrite }))).toBe(0)
    const busy = runOf({ writes: files(3_000) }, { onWrite: () => Promise.reject(new Error('down')) })
    expect(await statementsBefore('down', busy)).toBe(0)
    expect(descendants().filter((line) => line.includes('cat-file'))).toEqual([])
    await setImmediate()
    process.off('unhandledRejection', onUnhandled)
    expect(unhandled).toEqual([])
  })
})

describe('a file that the database refuses', () => {
  /** Carries a plan out of which the database refuses each statement that has some page. */
  const refusing = async (error: Error, given: Given, refused: string) => {
    const run = runOf(given, {
      onWrite({ paths, deleted }) {
        if (paths.includes(refused) || (refused === 'deletes' && deleted > 0)) throw error
      },
    })
    await applyPlan(run.applying)
    return run
  }

  test.each([
    ['22021', 'the database cannot hold a value of it'],
    ['23514', 'it breaks a rule of the database'],
    ['54000', 'something in it is longer than the database can hold'],
  ])('with %s is set aside with the reason, and the others are in', async (code, reason) => {
    const error = coded(code, 'postgres://me:secret@host says no')
    const { progress, written } = await refusing(error, { writes: files(20) }, 'p7.md')
    const message = `${reason} (${code}: postgres://host says no)`
    expect(written.flatMap(({ quarantined }) => quarantined)).toEqual([
      { path: 'p7.md', blobOid: blobs.text, code: 'refused_by_database', message },
    ])
    const stored = written.flatMap(({ paths }) => paths)
    expect(stored.toSorted()).toEqual(
      files(20)
        .map((file) => file.split(' ')[0]!)
        .filter((path) => path !== 'p7.md')
        .toSorted(),
    )
    expect(written.flatMap(({ cleared }) => cleared)).toEqual(stored)
    expect(progress.counts()).toMatchObject({ filesImported: 19, filesQuarantined: 1 })
  })

  test.each<[string, unknown]>([
    ['a full disk', coded('53100')],
    ['a code of no five letters', coded('2351')],
    ['a code that is a number', Object.assign(new Error('x'), { code: 23514 })],
    ['no code', new Error('x')],
  ])('for %s is no fault of its own: the run fails', async (_, error) => {
    await expect(refusing(error as Error, { writes: files(5) }, 'p3.md')).rejects.toBe(error)
  })

  test('is none where a statement without pages is refused', async () => {
    const error = coded('23503')
    await expect(refusing(error, { deletes: 3 }, 'deletes')).rejects.toBe(error)
  })
})

describe('too many files that cannot be stored', () => {
  test('end a run before they are written', async () => {
    const { applying, written } = runOf({ writes: [...files(30), ...files(21, 'bad')] })
    await expect(applyPlan(applying)).rejects.toThrow(
      '21 of 51 files cannot be stored, the last of them p20.md: there is a NUL character at byte 1',
    )
    expect(written.flatMap(({ paths }) => paths)).toHaveLength(25)
    expect(written.flatMap(({ quarantined }) => quarantined)).toEqual([])
  })

  test('are counted over all batches, with those that the database refused', async () => {
    const bad = files(60).map((file, i) => (i % 3 === 0 ? file.replace('text', 'bad') : file))
    const run = runOf(
      { writes: bad },
      {
        onWrite({ paths }) {
          if (paths.includes('p59.md')) throw coded('23514')
        },
      },
    )
    await expect(applyPlan(run.applying)).rejects.toThrow(
      '21 of 60 files cannot be stored, the last of them p59.md: it breaks a rule of the database',
    )
  })

  test('are a fifth of all files of the commit that were to be written, or that earlier runs set aside', async () => {
    const rejected = Array.from({ length: 25 }, (_, i) => `r${i}.md`)
    const counts = { filesImported: 40, filesUpdated: 40, filesRenamed: 40, filesQuarantined: 25, filesDeleted: 9 }
    const enough = runOf({ rejected, counts }, { failedBefore: 5 })
    await applyPlan(enough.applying)
    expect(enough.written).toHaveLength(1)
    const fewer = runOf({ rejected, counts: { ...counts, filesUpdated: 39 } }, { failedBefore: 5 })
    await expect(applyPlan(fewer.applying)).rejects.toThrow('30 of 149 files cannot be stored')
  })
})
