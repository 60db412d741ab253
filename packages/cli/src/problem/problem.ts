/**
 * Something that is wrong, with the step that goes on from there. Both are made in one place from one status, reason or
 * error code, and told together: a remedy never stands beside a problem that it is not for.
 */
export interface Problem {
  readonly message: string
  /** A command, or what to do by hand. */
  readonly nextStep: string
}

/** A problem on one line and its next step on another. @param about what has it, where the message does not say */
export function problemText({ message, nextStep }: Problem, about?: string): string {
  const oneLine = message.trim().replace(/\s*\n\s*/g, ' ')
  return `tidemark: ${about === undefined ? '' : `${about}: `}${oneLine}\n  ${nextStep}\n`
}
