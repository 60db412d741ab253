import { once } from 'node:events'
import { createServer, connect as netConnect, type Socket } from 'node:net'

/** A way to a server on which connections can stall: they stay open, and nothing passes any more. */
export interface SilentProxy extends AsyncDisposable {
  readonly url: string
  /** Stalls the connections that are there now; `'all'` those to come too. */
  silence(which?: 'all'): void
  /** Lets connections to come pass again. */
  speak(): void
  /** Cuts all connections, and refuses further ones until `speak()`. */
  cut(): void
}

export async function startSilentProxy(databaseUrl: string): Promise<SilentProxy> {
  const target = new URL(databaseUrl)
  const pairs = new Set<readonly [Socket, Socket]>()
  let mode: 'pass' | 'silent' | 'refuse' = 'pass'
  const stall = ([here, there]: readonly [Socket, Socket]) => {
    here.unpipe(there)
    there.unpipe(here)
    here.pause()
    there.pause()
  }
  const server = createServer((here) => {
    if (mode === 'refuse') return here.destroy()
    const there = netConnect(Number(target.port), target.hostname)
    const pair = [here, there] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const each of pair) each.destroy()
        pairs.delete(pair)
      })
    }
    if (mode === 'silent') return stall(pair)
    here.pipe(there).pipe(here)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    silence(which) {
      if (which === 'all') mode = 'silent'
      for (const pair of pairs) stall(pair)
    },
    speak() {
      mode = 'pass'
    },
    cut() {
      mode = 'refuse'
      for (const [here] of pairs) here.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const [here] of pairs) here.destroy()
      server.close()
    },
  }
}
