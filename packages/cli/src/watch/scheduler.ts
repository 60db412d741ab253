import PQueue from 'p-queue'

interface Turn {
  timer?: NodeJS.Timeout
  /** Waits for its turn. */
  queued: boolean
  running: boolean
  /** Asked for while it ran: what it has read may be older. */
  wanted: boolean
  removed: boolean
}

/**
 * Looks at each source when its time has come, and at once when somebody asks: at one source never twice at a time, and
 * at so many sources side by side. However often a source is asked for while it waits or runs, that is one look more.
 *
 * @param look never throws; resolves to the milliseconds after which to look again.
 */
export function createScheduler(look: (id: string) => Promise<number>, concurrency: number) {
  const queue = new PQueue({ concurrency })
  const turns = new Map<string, Turn>()
  let stopped = false

  const enqueue = (id: string, turn: Turn) => {
    clearTimeout(turn.timer)
    if (turn.running) turn.wanted = true
    else if (!turn.queued && !stopped) {
      turn.queued = true
      void queue.add(() => run(id, turn))
    }
  }
  const run = async (id: string, turn: Turn) => {
    turn.queued = false
    if (stopped || turn.removed) return
    turn.running = true
    const afterMs = await look(id)
    turn.running = false
    if (turn.removed) return void turns.delete(id)
    if (stopped) return
    if (turn.wanted) {
      turn.wanted = false
      enqueue(id, turn)
    } else turn.timer = setTimeout(enqueue, afterMs, id, turn)
  }
  return {
    /** The sources from now on; those that are new are looked at first. */
    setSources(ids: readonly string[]) {
      for (const [id, turn] of turns) {
        turn.removed = !ids.includes(id)
        if (!turn.removed) continue
        clearTimeout(turn.timer)
        if (!turn.running) turns.delete(id)
      }
      for (const id of ids) {
        if (turns.has(id)) continue
        const turn: Turn = { queued: false, running: false, wanted: false, removed: false }
        turns.set(id, turn)
        enqueue(id, turn)
      }
    },
    /** Looks at a source as soon as there is room. */
    wake(id: string) {
      const turn = turns.get(id)
      if (turn && !turn.removed) enqueue(id, turn)
    },
    /** Begins no more looks, and waits for those that are under way. */
    async stop() {
      stopped = true
      queue.clear()
      for (const { timer } of turns.values()) clearTimeout(timer)
      await queue.onIdle()
    },
  }
}
