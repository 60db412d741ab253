import type { Audit } from './audit.ts'
import type { WaveRun } from './inject-faults.ts'
import type { Violation } from './invariants.ts'
import type { SourcePlan, WavePlan } from './plan-wave.ts'

interface Circumstances extends Pick<WavePlan, 'database'>, Pick<SourcePlan, 'serverFault'> {
  readonly audit: Audit
}

/** How a run ended, held against what was injected. */
export function checkRun(run: WaveRun, circumstances: Circumstances): Violation[] {
  const violations: Violation[] = []
  const report = (invariant: Violation['invariant'], observed: string) =>
    violations.push({ invariant, source: run.source, observed: `${run.name}: ${observed}` })
  const unexplained = findUnexplainedEnd(run, circumstances)
  if (unexplained !== null) report('ended', unexplained)

  const { result, head } = run
  if (result === null) return violations
  const hasFinished = circumstances.audit.writes.some(
    ({ run: name, what, bookmark }) => name === run.name && what === 'finished' && bookmark === head,
  )
  const status = 'reason' in result ? `${result.status} (${result.reason})` : result.status
  if (result.status === 'synced' || result.status === 'first_sync') {
    if (!hasFinished || result.bookmark !== head) report('bookmark', `${status} at ${result.bookmark}, not at ${head}`)
  } else if (result.status === 'up_to_date') {
    if (result.bookmark !== head) report('bookmark', `${status} at ${result.bookmark}, not at ${head}`)
  } else if (
    run.hit === 'paused' &&
    wasTakenOver(run, circumstances.audit) &&
    !hasFinished &&
    !(result.status === 'partial' && result.reason === 'lease_lost') &&
    // A connection that was cut while it slept may be what it notices first.
    !(result.status === 'failed' && circumstances.database !== 'left alone')
  ) {
    report('resumed', status)
  }
  return violations
}

/** Whether another took the lease of a run, because it had expired. */
export const wasTakenOver = ({ pid, source }: WaveRun, { leases }: Audit): boolean =>
  leases.some(
    ({ key, holderPid, beforePid, endReason }) =>
      key === `sync:${source}` && beforePid === pid && holderPid !== pid && endReason === 'expired',
  )

/** How a run ended, for the figures. */
export function describeEnd({ result, hit, exitCode, exitSignal }: WaveRun): string {
  if (result === null) return hit === 'SIGKILL' ? 'killed' : `broke (${exitSignal ?? exitCode})`
  if (result.status === 'partial') return `partial (${result.reason})`
  return result.status === 'failed' ? `failed (${result.error.code})` : result.status
}

/** Why an end is not one that follows from what was injected; null where it is. */
function findUnexplainedEnd(run: WaveRun, { database, serverFault }: Circumstances): string | null {
  const { result, hit, exitCode, exitSignal, stderr, hung } = run
  if (hung) return 'it did not end'
  // A signal that comes before node listens ends it, and one that comes after its result, but before it was gone.
  const endedBySignal = hit === exitSignal
  if (result === null) {
    return endedBySignal ? null : `it broke, ${exitSignal ?? exitCode}: ${stderr}`
  }
  if (exitCode !== 0 && !endedBySignal) {
    return `it broke after its result, ${exitSignal ?? exitCode}: ${stderr}`
  }
  if (result.status === 'partial') {
    return result.reason === 'cancelled' && hit !== 'SIGTERM' ? 'cancelled by nobody' : null
  }
  if (result.status !== 'failed') return result.status.startsWith('blocked') ? result.status : null
  const { code } = result.error
  if (code === 'DATABASE_UNREACHABLE' && database !== 'left alone') return null
  if (code.startsWith('FETCH_') && serverFault !== null) return null
  return JSON.stringify(result.error)
}
