import { countRun, errorProblem, exitCodeFromResults, type RunResult, resultNotes } from '@tidemark/sync-core'
import { formatProblem } from './format-problem.ts'
import { formatEnd } from './progress.ts'
import { terminalLine } from './terminal-text.ts'

/** Whether someone should look at runs: where their exit code says so, or one has stopped without having done a thing. */
export const verdictFromResults = (results: readonly RunResult[]): 'success' | 'fail' =>
  exitCodeFromResults(results) === 0 && !results.some(isStuck) ? 'success' : 'fail'

/** A run that stops in time goes on with the next one, unless that gets as far. */
function isStuck(result: RunResult): boolean {
  const { done, left } = countRun(result)
  return result.status === 'partial' && done === 0 && left !== 0
}

/** How runs have ended, a line for each source, and below what someone should know or do. */
export function summarizeResults(results: readonly RunResult[]): string {
  const lines = results.map((result) => `${terminalLine(`${result.source}  ${formatEnd(result)}`)}\n`)
  const notes = results.flatMap((result) => resultNotes(result).map((note) => formatProblem(note, result.source)))
  return [...lines, ...notes].join('')
}

export const summarizeError = (error: unknown): string => formatProblem(errorProblem(error))
