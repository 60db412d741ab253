import { existsSync } from 'node:fs'
import type { Act } from './plan-wave.ts'

// Where Debian's libfaketime puts it; "MT" is the one for programs with threads.
const TRIPLET = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch as string]
const LIBRARY = `/usr/lib/${TRIPLET}/faketime/libfaketimeMT.so.1`

export const canFakeClocks = existsSync(LIBRARY)

/** What gives a process, and those that it starts, a clock of the day that is so wrong; that of its timers stays. */
export function fakedClock(clock: Act['clock']): NodeJS.ProcessEnv {
  if (clock === null || !canFakeClocks) return {}
  return { LD_PRELOAD: LIBRARY, FAKETIME: clock, DONT_FAKE_MONOTONIC: '1' }
}
