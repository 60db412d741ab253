import { createLocks, type LocksOptions, type Queryable } from '../../src/index.ts'
import { resolveSettings } from '../../src/options.ts'
import { statementsFor } from '../../src/statements.ts'

type Statements = Omit<ReturnType<typeof statementsFor>, 'fence'>
export type Statement = keyof Statements | 'fence' | 'other'

/** The rows of an answer, or what it throws; `n` counts the statements of that kind from 1. */
export type Answer = (params: any[], n: number) => any[] | Promise<any[]>
export type Answers = Partial<Record<Statement, Answer>>

const kinds = new Map<string, Statement>(
  [true, false].flatMap((notify) =>
    Object.entries(statementsFor(resolveSettings({}), { notify })).flatMap(([kind, text]) =>
      typeof text === 'string' ? [[text, kind as Statement] as const] : [],
    ),
  ),
)
const kindOf = (text: string): Statement =>
  kinds.get(text) ?? (text.startsWith('SELECT pg_current_xact_id_if_assigned()::text') ? 'fence' : 'other')

/** What a renewal finds of each of the leases that it was sent. */
export const renewals = (params: any[], outcome = 'renewed', resign = false) =>
  JSON.parse(params[0]).map(({ n }: { n: number }) => ({ n, outcome, resign_requested: resign }))

const TABLE: Answers = {
  acquire: (_, n) => [{ acquired: true, token: String(n), held: null }],
  release: () => [{ released: true }],
  renew: (params) => renewals(params),
  fence: () => [{ xid: '1' }],
}

/** The columns that tell of a lock, as a row of `inspect` and `list` has them. */
export const lockRow = (more: object = {}) => ({
  key: 'job',
  token: '5',
  holder_id: 'there:7:x',
  holder_host: 'there',
  holder_pid: 7,
  holder_label: null,
  info: null,
  end_reason: null,
  resign_requested: false,
  acquired_ms: 1_000,
  held_for_ms: 61_000,
  since_refresh_ms: 1_000,
  expires_in_ms: 60_000,
  ...more,
})

/** The answer to an attempt for a key that another has. */
export const refused = (more: { token?: string; [column: string]: unknown } = {}) => [
  { acquired: false, token: more.token ?? '5', held: lockRow(more) },
]

/** An error with a code, as drivers throw it. */
export const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

/**
 * A database that answers as a test says, and grants everything else: for faults, delays and orders of answers that no
 * real one gives on demand. It keeps what it was sent, and when.
 */
export function scriptedDatabase(answers: Answers = {}) {
  const sent: { kind: Statement; params: any[]; atMs: number }[] = []
  const of = (kind: Statement) => sent.filter((each) => each.kind === kind)
  const db: Queryable = {
    async query(text, params = []) {
      const kind = kindOf(text)
      sent.push({ kind, params, atMs: performance.now() })
      return { rows: (await (answers[kind] ?? TABLE[kind])?.(params, of(kind).length)) ?? [] }
    },
  }
  return {
    db,
    sent,
    answers,
    count: (kind: Statement) => of(kind).length,
    /** When statements of that kind were sent, in ms since the clock began. */
    times: (kind: Statement) => of(kind).map(({ atMs }) => atMs),
    paramsOf: (kind: Statement) => of(kind).map(({ params }) => params),
    locks: (options: LocksOptions = {}) => createLocks(db, options),
  }
}

/** The answer to an acquire that has got the lease. */
export const granted = (token: string) => [{ acquired: true, token, held: null }]
