import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Far beyond the deadline of any lease here. */
const GIVE_UP_MS = 6_000

/** A network between one run and its database in which a statement, once sent, does not arrive until it is let go. */
export type HeldStatement = Awaited<ReturnType<typeof holdStatement>>

/**
 * Holds the first statement that the pattern fits, and what comes after it on its connection, or on all.
 *
 * @param url of the database; the run is given the returned one.
 */
export async function holdStatement(url: URL, pattern: RegExp, holds: 'its connection' | 'all connections') {
  const sent = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  let holder: { readonly client: Socket; readonly upstream: Socket } | undefined
  const isHeld = (client: Socket) => holder && (holds === 'all connections' || holder.client === client)
  const server = createServer((client) => {
    const upstream = connect(Number(url.port), url.hostname)
    client.on('data', async (bytes) => {
      if (!holder && pattern.test(String(bytes))) {
        holder = { client, upstream }
        sent.resolve()
      }
      if (isHeld(client)) await released.promise
      // What was given up meanwhile is lost, a request to cancel the statement too; the statement itself is not.
      if (!client.destroyed || client === holder?.client) upstream.write(bytes)
    })
    client.on('close', async () => {
      if (isHeld(client)) await released.promise
      upstream.end()
    })
    upstream.on('data', (bytes) => client.destroyed || client.write(bytes))
    upstream.on('close', () => client.destroy())
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = new URL(url)
  address.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address,
    /** Resolves when the statement has been sent. */
    sent: sent.promise,
    /** Waits until the run has given the connection of the statement up. @returns false where it does not. */
    async givenUp(): Promise<boolean> {
      const { client } = holder!
      const closed = new Promise<true>((resolve) => client.once('close', () => resolve(true)))
      return client.closed || Promise.race([closed, sleep(GIVE_UP_MS, false, { ref: false })])
    },
    /** Lets the statement arrive, and waits for the answer of the server. */
    async release(): Promise<void> {
      const answered = once(holder!.upstream, 'data', { signal: AbortSignal.timeout(GIVE_UP_MS) })
      released.resolve()
      await answered.catch(() => {})
    },
    /** What is held then never arrives. */
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
