import { type Note, wasTakenOver } from './audit.ts'
import type { WaveRun } from './inject-faults.ts'
import type { Invariant, Violation } from './invariants.ts'
import type { SourcePlan, WavePlan } from './plan-wave.ts'

interface Circumstances extends Pick<WavePlan, 'database'>, Pick<SourcePlan, 'serverFault'> {
  readonly notes: readonly Note[]
}

/** How a run ended, held against what was injected. */
export function checkRun(run: WaveRun, circumstances: Circumstances): Violation[] {
  const { name, source, result, head, hit } = run
  const end = describeEnd(run)
  const found: [Invariant, string][] = []
  const unexplained = findUnexplainedEnd(run, circumstances)
  if (unexplained !== null) found.push(['ended', unexplained])
  if (run.stuck) found.push(['deadline', `${hit}, ${end}, and did not give up the statement that hung`])
  if (end === 'partial (lease_lost)' && !run.mayLoseLease) found.push(['healthy', `${end}, and nothing was done to it`])

  const hasFinished = circumstances.notes.some(
    (note) => note.what === 'finished' && note.run === name && note.bookmark === head,
  )
  const saysDone = ['synced', 'first_sync', 'up_to_date'].includes(end)
  if (saysDone) {
    const bookmark = (result as { bookmark: string | null }).bookmark
    const right = bookmark === head && (hasFinished || end === 'up_to_date')
    if (!right) found.push(['bookmark', `${end} at ${bookmark}, not at ${head}`])
  } else if (
    result !== null &&
    (hit === 'hung' || (hit === 'paused' && wasTakenOver(run, circumstances.notes))) &&
    !hasFinished &&
    end !== 'partial (lease_lost)' &&
    // A connection that was cut while it slept may be what it notices first.
    !(result.status === 'failed' && circumstances.database !== 'left alone')
  ) {
    found.push(['resumed', end])
  }
  return found.map(([invariant, observed]) => ({ invariant, source, observed: `${name}: ${observed}` }))
}

/** How a run ended, for the figures. */
export function describeEnd({ result, hit, exitCode, exitSignal }: WaveRun): string {
  if (result === null) return hit === 'SIGKILL' ? 'killed' : `broke (${exitSignal ?? exitCode})`
  if (result.status === 'partial') return `partial (${result.reason})`
  return result.status === 'failed' ? `failed (${result.error.code})` : result.status
}

/** Why an end is not one that follows from what was injected; null where it is. */
function findUnexplainedEnd(run: WaveRun, { database, serverFault }: Circumstances): string | null {
  const { result, hit, exitCode, exitSignal, stderr, overdue } = run
  if (overdue) return 'it did not end'
  // A signal that comes before node listens ends it, and one that comes after its result, but before it was gone.
  const broke = `it broke ${result === null ? '' : 'after its result'}, ${exitSignal ?? exitCode}: ${stderr}`
  if ((result === null || exitCode !== 0) && hit !== exitSignal) return broke
  if (result === null) return null
  if (result.status === 'partial') {
    return result.reason === 'cancelled' && hit !== 'SIGTERM' ? 'cancelled by nobody' : null
  }
  if (result.status !== 'failed') return result.status.startsWith('blocked') ? result.status : null
  const { code } = result.error
  if (code === 'DATABASE_UNREACHABLE' && database !== 'left alone') return null
  if (code.startsWith('FETCH_') && serverFault !== null) return null
  return JSON.stringify(result.error)
}
