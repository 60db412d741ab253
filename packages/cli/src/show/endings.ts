import { problemText } from '../problem/problem.ts'
import { type Ended, otherWarnings, problemOfResult } from '../problem/result-problem.ts'
import type { Work } from '../problem/status-problem.ts'
import type { Output } from './output.ts'

/** The status, with its reason and in its colour. */
export function statusOf(result: Ended, output: Output): string {
  const { status } = result
  return output.paint(styleOf(status), 'reason' in result ? `${status} (${result.reason})` : status)
}

/** Tells what someone should know or do after a run. */
export function tellEnding(result: Ended, output: Output, work: Work): void {
  const { source, status } = result
  for (const { message } of otherWarnings(result)) process.stderr.write(`tidemark: ${source}: ${message}\n`)
  const problem = problemOfResult(result, work)
  // That another is at work is no fault.
  if (problem !== null && !(status === 'busy' && output.quiet)) process.stderr.write(problemText(problem, source))
}

function styleOf(status: Ended['status']): 'red' | 'yellow' | 'green' {
  if (status === 'failed' || status === 'blocked' || status === 'blocked_by_failures') return 'red'
  return status === 'busy' || status === 'partial' ? 'yellow' : 'green'
}
