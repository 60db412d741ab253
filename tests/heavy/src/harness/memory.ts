import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The most memory that a process had at once, by the kernel's high-water mark, read until the process is gone so that
 * no peak between two reads is missed. On Linux only, else NaN.
 */
export async function trackPeakMb(pid: number): Promise<number> {
  let peakMb = Number.NaN
  for (;;) {
    const read = parsePeakMb(readStatus(pid))
    if (read === null) return peakMb
    peakMb = read
    await sleep(20)
  }
}

/** The most memory of this process and of its children: an embedded database has a process of its own. */
export function peakMbWithChildren(): number {
  const statuses = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStatus)
  const children = statuses.filter((status) => status.includes(`\nPPid:\t${process.pid}\n`))
  return [readStatus('self'), ...children].reduce((sum, status) => sum + (parsePeakMb(status) ?? 0), 0)
}

/** The most memory that a process had until now; null where it has ended. */
export const peakMbOf = (pid: number): number | null => parsePeakMb(readStatus(pid))

function readStatus(pid: string | number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

/** Null for a process that has ended: a zombie has no memory. */
function parsePeakMb(status: string): number | null {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(status)
  return match && Number(match[1]) / 1024
}
