import { problemOfError } from '../problem/error-problem.ts'
import type { Problem } from '../problem/problem.ts'

/** What one look of `tidemark doctor` has found. */
export interface Finding {
  readonly check: 'git' | 'configuration' | 'database' | 'schema' | 'clock' | 'embedding' | 'lease' | 'source'
  readonly ok: boolean
  readonly message: string
  /** The command or step that puts it right; null where nothing is wrong. */
  readonly mend: string | null
}

export const well = (check: Finding['check'], message: string): Finding => ({
  check,
  ok: true,
  message,
  mend: null,
})

/** @param about what has the problem, where its message does not say */
export const wrong = (check: Finding['check'], { message, nextStep }: Problem, about?: string): Finding => ({
  check,
  ok: false,
  message: about === undefined ? message : `${about}: ${message}`,
  mend: nextStep,
})

/** What an error says, and what to do about it. */
export const failed = (check: Finding['check'], error: unknown): Finding => wrong(check, problemOfError(error))
