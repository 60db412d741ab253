import { type Note, wasTakenOver } from './audit.ts'
import type { WaveRun } from './inject-faults.ts'
import type { Violation } from './invariants.ts'
import type { WavePlan } from './plan-wave.ts'

type DatabaseFault = WavePlan['database']

/** How a run ended, held against what was injected. */
export function* checkRun(run: WaveRun, database: DatabaseFault, notes: readonly Note[]): Generator<Violation> {
  const { name, result, head, hit, stuck, mayLoseLease } = run
  const end = describeEnd(run)
  const observed = `${name}: ${end}`
  const unexplained = findUnexplainedEnd(run, database)
  if (unexplained !== null) yield ['ended', `${name}: ${unexplained}`]
  if (stuck) yield ['deadline', observed]
  if (end === 'partial (lease_lost)' && !mayLoseLease) yield ['healthy', observed]
  if (result === null) return

  const hasFinished = notes.some((note) => note.run === name && note.what === 'finished' && note.bookmark === head)
  if (['synced', 'first_sync', 'up_to_date'].includes(end)) {
    const isAtHead = result.bookmark === head && (hasFinished || end === 'up_to_date')
    if (!isAtHead) yield ['bookmark', `${observed} at ${result.bookmark}, not at ${head}`]
    return
  }
  const isLate = hit === 'hung' || (hit === 'paused' && wasTakenOver(run, notes))
  // A connection that was cut while it slept may be what it notices first.
  const explained = end === 'partial (lease_lost)' || (result.status === 'failed' && database !== 'left alone')
  if (isLate && !hasFinished && !explained) yield ['resumed', observed]
}

/** How a run ended, for the figures. */
export function describeEnd({ result, hit, exitCode, exitSignal }: WaveRun): string {
  if (result === null) return hit === 'SIGKILL' ? 'killed' : `broke (${exitSignal ?? exitCode})`
  if (result.status === 'partial') return `partial (${result.reason})`
  return result.status === 'failed' ? `failed (${result.error.code})` : result.status
}

/** Why an end is not one that follows from what was injected; null where it is. */
function findUnexplainedEnd(run: WaveRun, database: DatabaseFault): string | null {
  const { result, hit, exitCode, exitSignal, overdue } = run
  if (overdue) return 'it did not end'
  // A signal that comes before node listens ends it, and one that comes after its result, but before it was gone.
  const broke = `it broke ${result === null ? '' : 'after its result'}, ${exitSignal ?? exitCode}`
  if ((result === null || exitCode !== 0) && hit !== exitSignal) return broke
  if (result === null) return null
  if (result.status === 'partial') {
    return result.reason === 'cancelled' && hit !== 'SIGTERM' ? 'cancelled by nobody' : null
  }
  if (result.status !== 'failed') return result.status.startsWith('blocked') ? result.status : null
  const { code } = result.error
  if (code === 'DATABASE_UNREACHABLE' && database !== 'left alone') return null
  if (code.startsWith('FETCH_') && run.serverFault) return null
  return JSON.stringify(result.error)
}
