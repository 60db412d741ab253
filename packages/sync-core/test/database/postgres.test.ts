import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { openDatabase } from '../../src/index.ts'

/** A message of the protocol of Postgres. */
function message(type: string, body: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(4 + body.length)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}

const AUTHENTICATED = message('R', '\0\0\0\0')
const READY = message('Z', 'I')
const TERMINATED = message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0')

test('a server that cuts a connection in the moment that it is made is an error, not the end of the process', async () => {
  const server = createServer((socket) => {
    // In one piece: a busy client reads both at once.
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, TERMINATED])))
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(openDatabase(`postgres://me@127.0.0.1:${port}/db`)).rejects.toMatchObject({
    code: 'DATABASE_UNREACHABLE',
  })
  server.close()
})
