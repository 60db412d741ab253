import type { Lease } from '@tidemark/lock'
import type { Database } from '../../src/database/database.ts'
import type { Fenced } from '../../src/store/fenced-query.ts'

/** The rows of an answer, or the error that is thrown instead. */
export type Answer = any[] | Error

/** An error with a code, as drivers throw it. */
export const coded = (code: string, message = code) => Object.assign(new Error(message), { code })

/** A database that answers one statement after the other as a test says, and then with no rows. It keeps what it was asked. */
export function scriptedDatabase(...answers: Answer[]) {
  const sent: { text: string; params: unknown[]; signal: AbortSignal | undefined }[] = []
  const query = async (text: string, params: unknown[] = [], signal?: AbortSignal) => {
    const answer = answers[sent.length] ?? []
    sent.push({ text, params, signal })
    if (answer instanceof Error) throw answer
    return { rows: answer }
  }
  return { db: { engine: 'postgres', name: 'postgres at here', query, locks: {} } as unknown as Database, sent }
}

/** The same under a lease, whose fence has the parameters "key" and "1". */
export function scriptedFence(lease: Partial<Lease>, ...answers: Answer[]) {
  const { db, sent } = scriptedDatabase(...answers)
  const fenceSql = () => ({ text: 'SELECT fence', params: ['key', '1'] })
  const fenced = { db, lease: { key: 'sync:docs', fenceSql, ...lease } } as unknown as Fenced
  return { fenced, sent }
}
