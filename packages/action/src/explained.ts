import { redact } from '@tidemark/sync-core'

/** The message of an error and its hint, without secrets, on one line. */
export function explained(error: unknown): string {
  const { message, hint } = error as { message?: string; hint?: string }
  return redact([message ?? String(error), hint].filter(Boolean).join('. '))
}
