import { fileURLToPath } from 'node:url'
import type { Said } from '../legacy/say.ts'
import type { SourceWork, WaveWork } from './policy.ts'
import { runLimited } from './run-limited.ts'

export interface LegacyRun {
  readonly killAfterMs: number
  readonly signal: AbortSignal
  /** Versions of files that the policy has read so far; grows. */
  readonly seen: Set<string>
  readonly keeps: boolean
}

/** Runs a driver of `legacy/` and listens to what it says. */
export async function runLegacy(program: 'sync-all' | 'sync-one', argument: object, run: LegacyRun): Promise<WaveWork> {
  const file = fileURLToPath(new URL(`../legacy/${program}.ts`, import.meta.url))
  const work: { -readonly [Key in keyof SourceWork]: SourceWork[Key] }[] = []
  const { cut } = await runLimited(process.execPath, [file, JSON.stringify(argument)], {
    ...run,
    onLine(line) {
      const said = JSON.parse(line) as Said
      const now = performance.now()
      if ('begin' in said) {
        work.push({ source: said.begin, startMs: now, endMs: now, read: 0, stored: 0, keeps: run.keeps })
        return
      }
      const last = work.at(-1)!
      last.endMs = now
      if ('read' in said) {
        const version = `${last.source} ${said.read} ${said.hash}`
        last.read++
        if (!run.seen.has(version)) last.stored++
        run.seen.add(version)
      } else if (said.status === 'locked') last.refusedBy = isAlive(said.holderPid) ? 'the living' : 'the dead'
    },
  })
  return { cut, work }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
