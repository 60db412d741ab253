import type { LeaseChange, Write } from './audit.ts'
import type { Finding } from './violation.ts'

/** What is known of all waves so far. */
export interface AuditMemory {
  /** The process of each run, by its name. */
  readonly pids: Map<string, number>
  /** The last token of each lease. */
  readonly tokens: Map<string, bigint>
}

/** What the database has noted of a wave's writes and leases, held against what must be. */
export function judgeAudit(
  { writes, leases }: { writes: readonly Write[]; leases: readonly LeaseChange[] },
  { pids, tokens }: AuditMemory,
): Finding[] {
  const findings: Finding[] = []
  for (const { run, what, source, token, holderPid } of writes) {
    if (holderPid !== null && holderPid === pids.get(run)) continue
    const seen = `${run} (process ${pids.get(run)}) has written: ${what}, while token ${token} was of process ${holderPid}`
    findings.push({ promise: 'fenced', source, seen })
  }
  for (const { run, key, token, holderPid, endReason, beforePid, beforeLeftMs } of leases) {
    const source = key.replace(/^sync:/, '')
    // A release empties the holder and keeps the token, which no take-over and no break does.
    const released = holderPid === null && endReason === 'released'
    const last = tokens.get(key) ?? 0n
    if (BigInt(token) < last || (BigInt(token) === last && !released)) {
      findings.push({ promise: 'tokens', source, seen: `token ${token} came after ${last}` })
    }
    tokens.set(key, BigInt(token))
    const byItself = released && pids.get(run) === beforePid
    if (beforePid !== null && beforeLeftMs! > 0 && !byItself) {
      const what = holderPid === null ? `${run} has ${endReason}` : `process ${holderPid} has taken`
      const seen = `${what} the lease of process ${beforePid}, which had it for ${beforeLeftMs} ms more`
      findings.push({ promise: 'alive', source, seen })
    }
  }
  return findings
}
