import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { engines, freshDatabase } from '@tidemark/test-engines'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { migrate, openDatabase, syncSource } from '../../src/index.ts'
import { emptyRepository } from '../world/test-repository.ts'

/** A database, and the address of a role that may have so many connections there at a time. */
async function limitedTo(connections: number) {
  const database = await freshDatabase('postgres')
  const owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
  const role = `few_${database.url.slice(-12)}`
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CONNECTION LIMIT ${connections};
    CREATE SCHEMA tidemark AUTHORIZATION ${role}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'x'
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      await owner.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
      await owner.end()
      await database.drop()
    },
  }
}

describe.runIf(engines.includes('postgres'))('a server without a free connection', () => {
  test('is waited for, and has each source synced in turn', async () => {
    await using limited = await limitedTo(1)
    const first = await openDatabase(limited.url)
    await migrate(first)
    const repository = await emptyRepository()
    await repository.commit({ 'a.md': '# A' })
    const other = openDatabase(limited.url, { signal: new AbortController().signal })
    const source = (id: string) => ({ id, repo: repository.folder, ref: 'main' })
    const done = await Promise.all(['a', 'b', 'c'].map((id) => syncSource(first, source(id), { budgetMs: 50_000 })))
    expect(done.map(({ status }) => status)).toEqual(['first_sync', 'first_sync', 'first_sync'])
    await first.close()
    const second = await other
    expect(await syncSource(second, source('a'))).toMatchObject({ status: 'up_to_date' })
    await second.close()
    repository.remove()
  })

  test('is waited for no longer than the budget of a run', async () => {
    await using limited = await limitedTo(1)
    const db = await openDatabase(limited.url)
    await migrate(db)
    const repository = await emptyRepository()
    await repository.commit({ 'a.md': '# A' })
    // Its only connection is cut and taken by another.
    const { rows } = await db.query('SELECT pg_backend_pid() AS pid')
    await db.query('SELECT pg_terminate_backend($1)', [rows[0].pid]).catch(() => {})
    const connect = async () => {
      const client = new pg.Client({ connectionString: limited.url })
      await client.connect()
      return client
    }
    const holder = await vi.waitFor(connect, { timeout: 20_000 })
    const result = await syncSource(db, { id: 'docs', repo: repository.folder, ref: 'main' }, { budgetMs: 700 })
    expect(result).toMatchObject({ status: 'partial', reason: 'timeout' })
    await holder.end()
    await db.close()
    repository.remove()
  })

  test('is told as that, with what to do, where nobody says how long to wait', { timeout: 30_000 }, async () => {
    await using limited = await limitedTo(0)
    await expect(openDatabase(limited.url)).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
      message: expect.stringContaining('has no connection left'),
      hint: expect.stringContaining('max_connections'),
    })
  })
})

/** A server that speaks TLS with the certificate of an authority of its own, and then refuses every login. */
async function privateServer() {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'))
  const [key, ca] = [join(folder, 'key.pem'), join(folder, 'ca.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', ca, ...subject], {
    stdio: 'ignore',
  })
  const refusal = Buffer.from('\0\0\0\0SFATAL\0C28P01\0Mpassword authentication failed\0\0')
  refusal.writeInt32BE(refusal.length)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('S')
      const secure = new TLSSocket(socket, { isServer: true, key: readFileSync(key), cert: readFileSync(ca) })
      secure.on('error', () => {})
      secure.once('data', () => secure.end(Buffer.concat([Buffer.from('E'), refusal])))
    })
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ca,
    url: `postgres://me:secret@localhost:${port}/db`,
    [Symbol.dispose]() {
      server.close()
      rmSync(folder, { recursive: true })
    },
  }
}

describe('a server with a certificate of a private authority', () => {
  test('is refused with a hint that speaks of certificates, and without a warning of the driver', async () => {
    using server = await privateServer()
    const warnings: Error[] = []
    process.on('warning', (warning) => warnings.push(warning))
    await expect(openDatabase(`${server.url}?sslmode=require`)).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: expect.stringMatching(/certificate that is not trusted.*self-signed certificate/),
      hint: expect.stringContaining('sslrootcert='),
    })
    expect(warnings).toEqual([])
  })

  test('is trusted where sslrootcert names the authority, and hears the password', async () => {
    using server = await privateServer()
    await expect(openDatabase(`${server.url}?sslmode=require&sslrootcert=${server.ca}`)).rejects.toMatchObject({
      message: expect.stringContaining('password authentication failed'),
      hint: expect.stringContaining('the password'),
    })
  })

  test('is told where sslrootcert names no file', async () => {
    using server = await privateServer()
    await expect(openDatabase(`${server.url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`)).rejects.toMatchObject({
      code: 'DATABASE_REFUSED',
      message: expect.stringContaining('/nowhere/ca.pem'),
      hint: expect.stringContaining('sslrootcert'),
    })
  })
})
