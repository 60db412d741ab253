/** Who wants to be in a group. */
interface Member {
  /** Lets it in; or not, where one that came later takes its place. */
  readonly admit: (entered: boolean) => void
  /** Ends it where it is in, for one that came later. */
  readonly cancel: () => void
}

export interface ConcurrencyGroups {
  /**
   * Waits to be the only one in a group. At most one waits: who comes later replaces it, and cancels who is in where it
   * says so.
   *
   * @returns what leaves the group; null where it was replaced, or the signal has ended the wait.
   */
  enter(
    group: string,
    member: { cancelInProgress: boolean; cancel(): void; signal: AbortSignal },
  ): Promise<(() => void) | null>
}

/** Concurrency groups of a repository; names differ by more than upper and lower case. */
export function createConcurrencyGroups(): ConcurrencyGroups {
  const running = new Map<string, Member>()
  const pending = new Map<string, Member>()
  const leave = (name: string) => {
    running.delete(name)
    const next = pending.get(name)
    if (next === undefined) return
    pending.delete(name)
    running.set(name, next)
    next.admit(true)
  }
  return {
    async enter(group, { cancelInProgress, cancel, signal }) {
      const name = group.toLowerCase()
      const entered = await new Promise<boolean>((admit) => {
        const member = { admit, cancel }
        if (!running.has(name)) {
          running.set(name, member)
          return admit(true)
        }
        pending.get(name)?.admit(false)
        pending.set(name, member)
        if (cancelInProgress) running.get(name)!.cancel()
        signal.addEventListener('abort', () => {
          if (pending.get(name) !== member) return
          pending.delete(name)
          admit(false)
        })
      })
      return entered ? () => leave(name) : null
    },
  }
}
