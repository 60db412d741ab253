import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgresServer } from '@tidemark/test-engines/postgres-server'
import { withClient } from './with-client.ts'

/** What every part stands on: a folder, a real Postgres, and an end to both, however the part ends. */
export interface Ground {
  /** A temporary folder. */
  readonly folder: string
  readonly server: PostgresServer
  /** Aborted by Ctrl-C and by SIGTERM: ends every wait, and the processes that a part has started. */
  readonly signal: AbortSignal
  /** Makes an empty database. @returns its connection string. */
  createDatabase(name: string): Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

export async function makeGround(signal: AbortSignal): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-heavy-'))
  const server = await startPostgresServer()
  return {
    folder,
    server,
    signal,
    async createDatabase(name) {
      await withClient(server.url, (db) => db.query(`CREATE DATABASE "${name}"`))
      return server.url.replace(/[^/]+$/, name)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
