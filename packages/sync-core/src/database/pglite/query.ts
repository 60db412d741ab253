import type { ChildProcess } from 'node:child_process'
import type { Reply, Request } from './process.ts'

/** Requests to the database's process, each with a promise of its answer. */
export function openQueries(child: ChildProcess) {
  const pending = new Map<number, { resolve: (rows: any[]) => void; reject: (error: Error) => void }>()
  let nextId = 0
  let ended: Error | undefined

  // A forgotten close() must not keep this process alive, an unanswered statement must.
  const keepAlive = (wanted: boolean) => {
    const change = wanted ? 'ref' : 'unref'
    child[change]()
    child.channel?.[change]()
  }
  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  child.on('message', ({ id, rows, error }: Reply) => {
    const call = pending.get(id)
    pending.delete(id)
    if (pending.size === 0) keepAlive(false)
    if (error) call?.reject(Object.assign(new Error(error.message), error))
    else call?.resolve(rows)
  })
  child.on('error', end).on('exit', () => end(new Error('the embedded database has ended')))
  return {
    keepAlive,
    get ended() {
      return ended !== undefined
    },
    send: (request: Omit<Request, 'id'>) =>
      new Promise<any[]>((resolve, reject) => {
        if (ended) return reject(ended)
        const id = nextId++
        pending.set(id, { resolve, reject })
        keepAlive(true)
        child.send({ id, ...request } satisfies Request, () => {})
      }),
  }
}
