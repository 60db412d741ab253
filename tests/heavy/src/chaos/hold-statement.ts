import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Far beyond the deadline of any lease here. */
const GIVE_UP_MS = 6_000

/**
 * A network between a run and its database. The first statement that fits the pattern is held until it is released, and
 * with it what comes after it on its connection, or on all.
 */
export async function holdStatement(database: URL, pattern: RegExp, holds: 'its connection' | 'all connections') {
  const sent = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const sockets: Socket[] = []
  let held: { readonly client: Socket; readonly upstream: Socket } | undefined
  const isHeld = (client: Socket) => held && (holds === 'all connections' || held.client === client)
  const server = createServer((client) => {
    const upstream = connect(Number(database.port), database.hostname)
    for (const socket of [client, upstream]) sockets.push(socket.on('error', () => {}))
    client.on('data', async (bytes) => {
      if (!held && pattern.test(String(bytes))) {
        held = { client, upstream }
        sent.resolve()
      }
      if (isHeld(client)) await released.promise
      // What was given up meanwhile is lost, a request to cancel the statement too; the statement itself is not.
      if (!client.destroyed || client === held?.client) upstream.write(bytes)
    })
    client.on('close', async () => {
      if (isHeld(client)) await released.promise
      upstream.end()
    })
    upstream.on('data', (bytes) => client.destroyed || client.write(bytes))
    upstream.on('close', () => client.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = new URL(database)
  address.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    /** For the run, in place of the database. */
    address,
    sent: sent.promise,
    /** Waits until the run gives up the statement's connection. @returns false where it does not. */
    async givenUp() {
      const closed = new Promise((resolve) => held!.client.once('close', resolve))
      return (
        held!.client.closed || (await Promise.race([closed.then(() => true), sleep(GIVE_UP_MS, false, { ref: false })]))
      )
    },
    /** Lets the statement arrive, and waits for the server's answer. */
    async release() {
      released.resolve()
      if (held) await once(held.upstream, 'data', { signal: AbortSignal.timeout(GIVE_UP_MS) }).catch(() => {})
    },
    /** What is still held never arrives. */
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
