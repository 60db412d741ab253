import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

/** What the server does with the next requests. */
export type Mood = 'serve' | 'slow' | 'hang' | 'fail' | 'drop'

/** A real `git http-backend` behind a small HTTP server on this machine. */
export interface GitServer {
  readonly url: string
  mood: Mood
  /** How many requests are served before that; below 0 it says how many came later. */
  requestsBefore: number
  /** With it, requests without this password and that user are refused. */
  password: string | null
  username: string
  /** Resolves when the next request has come. */
  requested(): Promise<void>
  close(): Promise<void>
}

export async function serveGit(repository: string): Promise<GitServer> {
  const http = createServer((request, response) => {
    const mood = server.requestsBefore-- > 0 ? 'serve' : server.mood
    if (mood === 'hang') return
    if (mood === 'drop') return void request.socket.destroy()
    if (mood === 'fail') return void response.writeHead(500).end('broken')
    const login = Buffer.from(request.headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()
    if (server.password !== null && login !== `${server.username}:${server.password}`) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    }
    backend(dirname(repository), request, response, mood === 'slow')
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const server: GitServer = {
    url: `http://127.0.0.1:${port}/${repository.split('/').at(-1)}`,
    mood: 'serve',
    password: null,
    username: 'me',
    requestsBefore: 0,
    requested: async () => void (await once(http, 'request')),
    async close() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
  return server
}

/** Hands a request to git by the rules of CGI. */
function backend(root: string, request: IncomingMessage, response: ServerResponse, slowly: boolean): void {
  const { pathname, search } = new URL(request.url!, 'http://localhost')
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  const onHead = (piece: Buffer) => {
    head = Buffer.concat([head, piece])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    child.stdout.off('data', onHead)
    let status = 200
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/)
      if (name === 'Status') status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.write(head.subarray(end + 4))
    if (slowly) Readable.from(trickle(child.stdout)).pipe(response)
    else child.stdout.pipe(response)
  }
  child.stdout.on('data', onHead)
  child.stdin.on('error', () => {})
}

async function* trickle(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += 512) {
      yield piece.subarray(at, at + 512)
      await sleep(5)
    }
  }
}
