import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@tidemark/test-engines'

/** Whether the tests through a bouncer can run. Where they must (`CI=true`), its absence is an error. */
export function pgbouncerIsThere(): boolean {
  if (spawnSync('pgbouncer', ['--version']).status === 0) return true
  if (process.env.CI === 'true') throw new Error('pgbouncer is not installed, and CI requires the tests through it')
  console.warn('\n!!! SKIPPED: all lock tests through PgBouncer. Install it with: apt-get install pgbouncer\n')
  return false
}

export interface Bouncer {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a PgBouncer of its own in front of a database, in transaction pooling with two server connections. */
export async function startPgbouncer(databaseUrl: string): Promise<Bouncer> {
  const target = new URL(databaseUrl)
  const home = mkdtempSync(join(tmpdir(), 'tidemark-bouncer-'))
  chmodSync(home, 0o755)
  const port = await freePort()
  writeFileSync(join(home, 'users.txt'), `"${target.username}" "${target.password}"\n`)
  writeFileSync(
    join(home, 'pgbouncer.ini'),
    `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(home, 'users.txt')}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
`,
  )
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const bouncer = spawn('pgbouncer', [...user, join(home, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await untilUp(bouncer)
  target.hostname = '127.0.0.1'
  target.port = String(port)
  return {
    url: target.href,
    async stop() {
      bouncer.kill('SIGKILL')
      await once(bouncer, 'exit')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function untilUp(bouncer: ChildProcess): Promise<void> {
  let said = ''
  for await (const piece of bouncer.stderr!) {
    said += piece
    if (said.includes('process up')) {
      bouncer.stderr!.resume()
      return
    }
  }
  throw new Error(`pgbouncer did not start: ${said}`)
}
