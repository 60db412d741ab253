import type { Queryable } from '../../src/index.ts'
import { isRenewal } from '../world/lock-world.ts'

export type StatementKind = 'acquire' | 'renew' | 'release' | 'other'

/** Called before a statement is sent; what it throws is the database's answer. */
export type Intercept = (kind: StatementKind) => unknown

/** A database that keeps the kinds of the statements it was sent, and in which a test can fail or delay some. */
export function statementLog(db: Queryable, intercept: Intercept = () => {}) {
  const kinds: StatementKind[] = []
  const logged: Queryable = {
    async query(text, params) {
      const kind = statementKind(text)
      kinds.push(kind)
      await intercept(kind)
      return db.query(text, params)
    },
  }
  return { db: logged, kinds, count: (kind: StatementKind) => kinds.filter((each) => each === kind).length }
}

function statementKind(text: string): StatementKind {
  if (text.includes('_acquire')) return 'acquire'
  if (isRenewal(text)) return 'renew'
  return text.includes('_release') ? 'release' : 'other'
}

/** A connection that was cut. */
export const cut = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

/** An error that the server answers with, by its SQLSTATE. */
export const sqlError = (code: string) => Object.assign(new Error(`SQLSTATE ${code}`), { code })
