import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { execa } from 'execa'
import { freePort } from './free-port.ts'
import type { PostgresServer } from './postgres-server.ts'

/** Where Debian and Ubuntu install each major version. It is not on the PATH. */
const VERSIONS = '/usr/lib/postgresql'

/** Whether the tests on the system's Postgres can run. Where they must (`CI=true`), its absence is an error. */
export function hasSystemPostgres(): boolean {
  if (systemPostgresBin() !== null) return true
  if (process.env.CI === 'true')
    throw new Error('No PostgreSQL server of the system is installed, and CI requires the tests on it')
  console.warn("\n!!! SKIPPED: all tests on the system's PostgreSQL. Install it with: apt-get install postgresql\n")
  return false
}

/** The folder of the newest server's programs; null where none is installed. */
export function systemPostgresBin(): string | null {
  if (!existsSync(VERSIONS)) return null
  const newestFirst = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))
  const folders = newestFirst.map((version) => join(VERSIONS, version, 'bin'))
  // The client alone has such a folder too, without this.
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

/** What tests need of it; faults of a server itself are tried on the embedded one. */
type SystemPostgres = Pick<PostgresServer, 'url' | 'port' | 'restart' | 'stop'>

/** Starts the system's Postgres on a free port, with its data in a new temporary folder. */
export async function startSystemPostgres(bin: string): Promise<SystemPostgres> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-system-pg-'))
  const user = await serverUser()
  if (user) await chown(home, user.uid, user.gid)
  // A server user may not be allowed to enter the current folder.
  const options = { ...user, cwd: home, stdin: 'ignore' } as const
  const data = join(home, 'data')
  await execa(
    join(bin, 'initdb'),
    ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
    options,
  )

  const port = await freePort()
  const flags = ['-D', data, '-p', `${port}`, ...SETTINGS.flatMap((setting) => ['-c', setting])]
  const start = async () => {
    const server = execa(join(bin, 'postgres'), flags, {
      ...options,
      stdout: 'ignore',
      buffer: false,
      reject: false,
      // A fast shutdown; SIGTERM would wait for the clients. It is also sent when this process ends.
      killSignal: 'SIGINT',
      forceKillAfterDelay: false,
    })
    await untilReady(server.stderr)
    return async () => {
      server.kill()
      await server
    }
  }
  let shutDown = await start()
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    port,
    async restart() {
      await shutDown()
      shutDown = await start()
    },
    async stop() {
      await shutDown()
      await rm(home, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  // Debian's default folder of sockets is closed to other users.
  'unix_socket_directories=',
  // Nothing in a test survives a power cut, so nothing waits for the disk.
  'fsync=off',
  'synchronous_commit=off',
  'max_connections=200',
]

/** The user that the package has made, where this process is root: Postgres refuses to run as root. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all([execa`id -u postgres`, execa`id -g postgres`])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

function untilReady(stderr: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    const collect = (text: Buffer) => {
      log += text
      if (!log.includes('ready to accept connections')) return
      // Read on without keeping it: a full pipe would stop the server.
      stderr.off('data', collect).resume()
      resolve()
    }
    stderr.on('data', collect)
    stderr.once('end', () => reject(new Error(`The system's Postgres did not start: ${log}`)))
  })
}
