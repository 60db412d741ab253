import { once } from 'node:events'
import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { ListenAddress } from '../commands/watch.ts'
import { UsageError } from '../usage-error.ts'
import { createApp, type Watched } from './create-app.ts'

/** Takes requests until it is disposed of. @throws {UsageError} where nobody can listen there. */
export async function listen({ host, port }: ListenAddress, watched: () => Watched) {
  const server = serve({ fetch: createApp(watched).fetch, hostname: host, port }) as Server
  try {
    await once(server, 'listening')
  } catch (error) {
    const { message } = error as Error
    throw new UsageError(`cannot listen on ${host}:${port}: ${message}`, 'Give another address to --listen.', error)
  }
  const { port: actual } = server.address() as { port: number }
  return {
    address: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
