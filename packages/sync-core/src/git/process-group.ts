import type { ChildProcess } from 'node:child_process'

/** A process that was started `detached`, and all that it starts. Dispose of it when the process has ended. */
export interface ProcessGroup extends Disposable {
  /** Asks all of it to end by SIGTERM, and ends what is left by SIGKILL after that time. */
  end(killAfterMs: number): void
  /** Ends all of it now. */
  kill(): void
}

/** The groups that end with this process, all by one listener: Node warns of the eleventh on an emitter. */
const running = new Set<ProcessGroup>()
const killAll = () => {
  for (const group of running) group.kill()
}

/**
 * A group is named by the number of its leader, which the kernel keeps from others only as long as one of the group is
 * there: no signal is sent any more once the leader has ended and the group is empty.
 */
export function processGroup(leader: ChildProcess): ProcessGroup {
  let timer: NodeJS.Timeout | undefined
  let gone = leader.pid === undefined
  const send = (signal: NodeJS.Signals | 0) => {
    if (gone) return
    try {
      process.kill(-leader.pid!, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') gone = true
    }
  }
  leader.once('exit', () => send(0))
  const group: ProcessGroup = {
    end(killAfterMs) {
      send('SIGTERM')
      if (!gone) timer ??= setTimeout(group.kill, killAfterMs).unref()
    },
    kill: () => send('SIGKILL'),
    [Symbol.dispose]() {
      clearTimeout(timer)
      gone = true
      running.delete(group)
      if (running.size === 0) process.off('exit', killAll)
    },
  }
  if (running.size === 0) process.once('exit', killAll)
  running.add(group)
  return group
}
