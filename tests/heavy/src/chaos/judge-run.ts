import type { LeaseChange, Write } from './audit.ts'
import type { SourcePlan, WavePlan } from './plan-wave.ts'
import type { WaveRun } from './throw-wave.ts'
import type { Finding } from './violation.ts'

export interface Circumstances {
  readonly database: WavePlan['database']
  /** What the source's server did, if it has one. */
  readonly mood: SourcePlan['mood']
  readonly writes: readonly Write[]
  readonly leases: readonly LeaseChange[]
}

/** How a run ended, held against what was thrown at it. */
export function judgeRun(run: WaveRun, circumstances: Circumstances): Finding[] {
  const findings: Finding[] = []
  const find = (promise: Finding['promise'], seen: string) =>
    findings.push({ promise, source: run.source, seen: `${run.name}: ${seen}` })
  const unexplained = unexplainedEnd(run, circumstances)
  if (unexplained !== null) find('ended', unexplained)

  const { result, head } = run
  if (result === null) return findings
  const { writes, database } = circumstances
  const hasFinished = writes.some(
    ({ run: name, what, bookmark }) => name === run.name && what === 'finished' && bookmark === head,
  )
  const says = 'reason' in result ? `${result.status} (${result.reason})` : result.status
  if (result.status === 'synced' || result.status === 'first_sync') {
    if (!hasFinished || result.bookmark !== head) find('true', `${says} at ${result.bookmark}, not at ${head}`)
  } else if (result.status === 'up_to_date') {
    if (result.bookmark !== head) find('true', `${says} at ${result.bookmark}, not at ${head}`)
  } else if (
    run.woken &&
    wasTakenOver(run, circumstances) &&
    !hasFinished &&
    !(result.status === 'partial' && result.reason === 'lease_lost') &&
    // A connection that was cut while it slept may be what it notices first.
    !(result.status === 'failed' && database !== 'left alone')
  ) {
    find('woken', says)
  }
  return findings
}

/** Whether another took the lease of a run, because it had expired. */
export function wasTakenOver({ pid, source }: WaveRun, { leases }: Pick<Circumstances, 'leases'>): boolean {
  return leases.some(
    ({ key, holderPid, beforePid, endReason }) =>
      key === `sync:${source}` && beforePid === pid && holderPid !== pid && endReason === 'expired',
  )
}

/** Why an end is not one that follows from what was thrown; null where it is. */
function unexplainedEnd(run: WaveRun, { database, mood }: Circumstances): string | null {
  const { result, killed, terminated, exitCode, exitSignal, stderr, hung } = run
  if (hung) return 'it did not end'
  if (result === null) {
    // A signal that comes before node listens ends it.
    if ((killed && exitSignal === 'SIGKILL') || (terminated && exitSignal === 'SIGTERM')) return null
    return `it broke, ${exitSignal ?? exitCode}: ${stderr}`
  }
  // After its result, but before it was gone, a signal ends it too.
  if (exitCode !== 0 && !killed && !(terminated && exitSignal === 'SIGTERM'))
    return `it broke after its result, ${exitSignal ?? exitCode}: ${stderr}`
  if (result.status === 'partial') {
    return result.reason === 'cancelled' && !terminated ? 'cancelled by nobody' : null
  }
  if (result.status !== 'failed') return result.status.startsWith('blocked') ? result.status : null
  const { code } = result.error
  if (code === 'DATABASE_UNREACHABLE' && database !== 'left alone') return null
  if (code.startsWith('FETCH_') && mood !== 'serve') return null
  return JSON.stringify(result.error)
}
