import { readdirSync, readFileSync } from 'node:fs'

/** The most memory that this process has had, and that of an embedded database, which has a process of its own. */
export function peakMb(): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const databases = pids.map(statusOf).filter((status) => status.includes(`\nPPid:\t${process.pid}\n`))
  return [statusOf('self'), ...databases].map(peakIn).reduce((sum, mb) => sum + mb)
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

const peakIn = (status: string) => Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
