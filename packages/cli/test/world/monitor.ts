import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a monitor was told. */
export interface Pinged {
  /** Below the address of the check: `/start`, `/fail`, or nothing for a success. */
  readonly path: string
  readonly runId: string | null
  readonly method: string
  readonly body: string
  readonly authorization: string | undefined
}

/** The path of the check: who knows it can say that all is well. */
export const CHECK = '6ba7b810-s3cret-check'

/** A monitor that answers as healthchecks.io does, or first so often with what is in `faults`. */
export async function startMonitor() {
  const pinged: Pinged[] = []
  const faults: (number | 'hang')[] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://monitor')
    const fault = faults.shift()
    if (fault === 'hang') return
    if (fault !== undefined) return void response.writeHead(fault).end()
    pinged.push({
      path: pathname.replace(`/ping/${CHECK}`, ''),
      runId: searchParams.get('rid'),
      method: request.method!,
      body: await text(request),
      authorization: request.headers.authorization,
    })
    response.end('OK')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/ping/${CHECK}`,
    host: `127.0.0.1:${port}`,
    pinged,
    faults,
    paths: () => pinged.map(({ path }) => path),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
