import type { LockErrorCode } from '@tidemark/lock'
import type { Problem } from './problem.ts'

const REPORT = 'This looks like a fault of tidemark: please report it.'

/** What goes on from each fault of a lease. */
const LOCK_STEPS: Record<LockErrorCode, string> = {
  LOCK_BAD_OPTIONS: REPORT,
  LOCK_BAD_KEY: 'See the keys that there are: tidemark locks list',
  LOCK_BAD_TABLE: 'Change the table, or name another.',
  LOCK_CLOSED: REPORT,
  LOCK_DEADLOCK: REPORT,
  LOCK_FAILED: 'See whether the database answers: tidemark doctor',
  LOCK_FORBIDDEN:
    'Ask for the rights to SELECT, INSERT and UPDATE the leases; the SQL that makes their table: tidemark migrate --dry-run',
  LOCK_NOT_MIGRATED: 'tidemark migrate',
  LOCK_NO_TRANSACTION: REPORT,
  LOCK_TIMEOUT: 'See who has it: tidemark locks list',
  LEASE_LOST: 'Run it again; what is stored is kept.',
}

/** How a table that cannot be taken over is told, and the remedy that the database has found. */
const BAD_TABLE = /^(.*)\. Remedy: (.*)$/s

/** What an error says and what to do about it: its own hint where it has one, else by its code. */
export function problemOfError(error: unknown): Problem {
  const { message = String(error), hint, code } = (error ?? {}) as { message?: string; hint?: string; code?: string }
  if (hint !== undefined) return { message, nextStep: hint }
  const [, fault, remedy] = (code === 'LOCK_BAD_TABLE' && BAD_TABLE.exec(message)) || []
  if (fault !== undefined && remedy !== undefined) return { message: fault, nextStep: remedy }
  const nextStep = LOCK_STEPS[code as LockErrorCode] ?? 'Run it again with --verbose to see what came before.'
  return { message, nextStep }
}
