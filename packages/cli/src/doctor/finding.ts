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

export const wrong = (check: Finding['check'], message: string, mend: string): Finding => ({
  check,
  ok: false,
  message,
  mend,
})

/** What an error says, and its hint for what to do. */
export function failed(check: Finding['check'], error: unknown, mend?: string): Finding {
  const { message, hint = 'See the message.' } = error as Error & { hint?: string }
  return wrong(check, message, mend ?? hint)
}
