import type { TokenChange, Write } from './audit.ts'
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
  { writes, tokens }: { writes: readonly Write[]; tokens: readonly TokenChange[] },
  { pids, tokens: lastTokens }: AuditMemory,
): Finding[] {
  const findings: Finding[] = []
  for (const { run, what, source, token, holderPid } of writes) {
    if (holderPid !== null && holderPid === pids.get(run)) continue
    const seen = `${run} (process ${pids.get(run)}) has written: ${what}, while token ${token} was of process ${holderPid}`
    findings.push({ promise: 'fenced', source, seen })
  }
  for (const { key, token, holderPid, beforePid, beforeLeftMs, again } of tokens) {
    const source = key.replace(/^sync:/, '')
    const last = lastTokens.get(key)
    if (last !== undefined && BigInt(token) <= last) {
      findings.push({ promise: 'tokens', source, seen: `token ${token} came after ${last}` })
    }
    lastTokens.set(key, BigInt(token))
    if (holderPid !== null && beforePid !== null && !again && beforeLeftMs! > 0) {
      const seen = `process ${holderPid} took it from process ${beforePid}, which had it for ${beforeLeftMs} ms more`
      findings.push({ promise: 'alive', source, seen })
    }
  }
  return findings
}
