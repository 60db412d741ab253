/** A PGlite with pgvector behind a socket, as a process: a statement would keep the thread of the tests busy. */
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const db = await PGlite.create({ extensions: { vector } })
const server = new PGLiteSocketServer({ db, port: 0, maxConnections: 50 })
await server.start()
process.send!(Number(server.getServerConn().split(':').at(-1)))
process.on('disconnect', () => process.exit())
