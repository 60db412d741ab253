import type { Problem } from './problem.ts'
import type { Work } from './status-problem.ts'

/** A holder shows life every 15 s, and a lease ends 90 s after the last sign of it. */
const LEASE_TTL_MS = 90_000

/** Who has the lease of a source. */
export interface LeaseHolder {
  readonly host: string | null
  readonly pid: number | null
  /** How long ago it last showed life; null where that is not known. */
  readonly sinceRefreshMs: number | null
}

/** Whether a holder has shown no sign of life for longer than its lease should have lasted. */
export const isSilent = ({ sinceRefreshMs }: LeaseHolder) => (sinceRefreshMs ?? 0) > LEASE_TTL_MS

/** A lease whose holder has died, or hangs, and which has not ended by itself. */
export function problemOfSilentHolder(holder: LeaseHolder, source: string, work: Work): Problem {
  return {
    message: `${holderText(holder)} holds its lease and shows no sign of life`,
    nextStep:
      work === 'sync'
        ? `tidemark sync --source ${source} --break-lock-if-stale 90s`
        : `tidemark locks break embed:${source} --max-age 90s`,
  }
}

/** A source that another process is at work on. */
export function problemOfBusy(holder: LeaseHolder, source: string, work: Work): Problem {
  if (isSilent(holder)) return problemOfSilentHolder(holder, source, work)
  return {
    message: `being ${work === 'sync' ? 'synced' : 'embedded'} by ${holderText(holder)}`,
    nextStep: `Wait for it: tidemark ${work} --source ${source} --wait 10m`,
  }
}

const holderText = ({ host, pid }: LeaseHolder) =>
  host === null || pid === null ? 'another process' : `process ${pid} on ${host}`
