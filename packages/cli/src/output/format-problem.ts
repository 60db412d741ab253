import type { Problem } from '@tidemark/sync-core'
import { terminalLine } from './terminal-text.ts'

/** A problem on one line and its next step on another. @param about what has it, where the message does not say */
export function formatProblem({ message, nextStep }: Problem, about?: string): string {
  const oneLine = message.trim().replace(/\s*\n\s*/g, ' ')
  return `${terminalLine(`tidemark: ${about === undefined ? '' : `${about}: `}${oneLine}`)}\n  ${terminalLine(nextStep)}\n`
}
