import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { engines } from '@tidemark/test-engines'
import { parse } from 'libpg-query'
import { describe, expect, test } from 'vitest'
import type { TracedStatement } from '../../src/database/open.ts'
import { removeSource, search } from '../../src/index.ts'
import { testWorld } from '../world/test-world.ts'

/** What Citus calls not immutable. */
const CLOCKS = [
  'now',
  'clock_timestamp',
  'statement_timestamp',
  'transaction_timestamp',
  'timeofday',
  'random',
  'nextval',
]

type Node = Record<string, any>

/** All nodes of a kind below one, as the parser of Postgres names kinds. */
function* nodesOf(kind: string, node: unknown): Generator<Node> {
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    if (key === kind) yield value
    yield* nodesOf(kind, value)
  }
}

const WRITES = ['InsertStmt', 'UpdateStmt', 'DeleteStmt']

/** What a table sharded by its source would refuse, or have to ask every shard for. */
function faults(tree: unknown, sharded: ReadonlySet<string>): string[] {
  const writes = WRITES.flatMap((kind) => [...nodesOf(kind, tree)].map((write) => ({ kind, write })))
  const ours = writes.filter(({ write }) => sharded.has(write.relation.relname))
  if (ours.length === 0) return []
  const found: string[] = []
  for (const kind of ['CaseExpr', 'CoalesceExpr']) {
    for (const node of nodesOf(kind, tree)) {
      const names = [...nodesOf('FuncCall', node)].map(({ funcname }) => funcname.at(-1).String.sval)
      for (const name of names.filter((each) => CLOCKS.includes(each))) found.push(`${name}() in a ${kind}`)
    }
  }
  for (const { kind, write } of ours) {
    const key = write.relation.relname === 'sources' ? 'id' : 'source_id'
    const place = kind === 'InsertStmt' ? write.cols : write.whereClause
    const named = JSON.stringify(place ?? null).includes(kind === 'InsertStmt' ? `"name":"${key}"` : `"sval":"${key}"`)
    if (!named) found.push(`${kind} of ${write.relation.relname} without ${key}`)
  }
  return found
}

describe.each(engines)('on %s', (engine) => {
  test('what a run writes names the source that it writes of, and has no clock where shards refuse one', async () => {
    await using world = await testWorld({ engine })
    const { repository, db } = world
    const texts = new Set<string>()
    const collect = (message: unknown) => void texts.add((message as TracedStatement).text)
    subscribe('tidemark:sql', collect)
    await repository.commit({ 'a.md': '# A\n\n[b](b.md)', 'b.md': '# B', 'c.png': 'c', 'bad.md': 'a\0b' })
    await world.sync()
    await repository.commit({ 'a.md': '# A, longer', 'moved.md': '# B', 'd.png': 'c' })
    await world.sync({ budgetMs: 1 })
    await world.sync({ allowMassDelete: true, full: true })
    await world.sync()
    await world.sync({ ref: 'nowhere' })
    await search(db, 'longer')
    await removeSource(db, 'docs', AbortSignal.timeout(10_000))
    unsubscribe('tidemark:sql', collect)

    const { rows } = await db.query(`SELECT table_name FROM information_schema.columns
      WHERE table_schema = 'tidemark' AND column_name = 'source_id' AND ordinal_position = 1`)
    const sharded = new Set(['sources', ...rows.map(({ table_name }) => table_name)])
    const statements = [...texts].filter((text) => /\b(INSERT INTO|UPDATE|DELETE FROM) tidemark\./.test(text))
    expect(statements.length).toBeGreaterThan(10)
    const found = await Promise.all(statements.map(async (text) => [text, faults(await parse(text), sharded)] as const))
    expect(found.filter(([, each]) => each.length > 0)).toEqual([])
  })
})
