import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createLocks } from '../src/index.ts'
import { firstForm } from './world/first-form.ts'
import { serverWorld } from './world/server-world.ts'

/** A role that owns nothing but a schema, connected. */
async function someone(url: string, admin: pg.Pool) {
  const role = `role_${randomUUID().slice(0, 8)}`
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; CREATE SCHEMA ${role} AUTHORIZATION ${role}`)
  const address = new URL(url)
  address.username = role
  address.password = 'x'
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  return {
    role,
    client,
    async [Symbol.asyncDispose]() {
      await client.end()
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    },
  }
}

/** What functions the table brought, and with whose rights and in which schemas they run. */
const listFunctions = async (admin: pg.Pool) =>
  (
    await admin.query(`SELECT proname AS name, prosecdef AS definer, proconfig AS config
      FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname`)
  ).rows

describe('migrate', () => {
  test('leaves no function with the rights of its owner, and none that looks names up where its caller says', async () => {
    await using world = await serverWorld()
    const functions = await listFunctions(world.admin)
    expect(functions.map(({ name }) => name)).toEqual([
      'heartbeat_locks_acquire',
      'heartbeat_locks_release',
      'heartbeat_locks_trigger',
    ])
    for (const { definer, config } of functions) {
      expect(definer).toBe(false)
      expect(config).toEqual(['search_path=pg_catalog, pg_temp'])
    }
  })

  test('gives nobody rights by its trigger function: a look-alike table runs it as whoever writes to that', async () => {
    await using world = await serverWorld()
    await using attacker = await someone(world.url, world.admin)
    const { client, role } = attacker
    await client.query(`CREATE TABLE ${role}.heartbeat_locks (LIKE heartbeat_locks INCLUDING ALL)`).catch(() => {})
    await client.query(`CREATE TABLE IF NOT EXISTS ${role}.heartbeat_locks (key text, holder_pid int, holder_host text, acquired_at timestamptz,
      expires_at timestamptz, token bigint, holder_id text, holder_label text, info jsonb, attempt_id uuid, last_refreshed_at timestamptz,
      heartbeat_ms int, resign_requested_at timestamptz, end_reason text)`)
    await client.query(`CREATE TABLE ${role}.who (name text)`)
    await client.query(`CREATE FUNCTION ${role}.note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO ${role}.who VALUES (current_user); RETURN NEW; END $$`)
    await client.query(
      `CREATE TRIGGER note BEFORE UPDATE OR DELETE ON ${role}.heartbeat_locks FOR EACH ROW EXECUTE FUNCTION ${role}.note()`,
    )
    await client.query(
      `CREATE TRIGGER theirs BEFORE INSERT OR UPDATE ON ${role}.heartbeat_locks FOR EACH ROW EXECUTE FUNCTION public.heartbeat_locks_trigger()`,
    )
    const insert = `INSERT INTO ${role}.heartbeat_locks (key, holder_pid, holder_host, acquired_at, expires_at) VALUES ('a', 1, 'x', now(), now())`
    await client.query(insert)
    await client.query(`UPDATE ${role}.heartbeat_locks SET holder_pid = 2`).catch(() => {})
    const { rows } = await client.query(`SELECT DISTINCT name FROM ${role}.who`)
    for (const { name } of rows) expect(name).toBe(role)
    await client
      .query('SELECT public.heartbeat_locks_acquire($1, $1, $1, $1, 1, NULL, gen_random_uuid(), 1, 1)', ['a'])
      .then(
        () => expect.unreachable('it has no right to the table'),
        (error) => expect(error.code).toBe('42501'),
      )
  })

  test('takes the rights away that the first form of the table gave to everyone, and keeps its leases', async () => {
    await using world = await serverWorld()
    await world.admin.query(firstForm('first'))
    await world.admin.query(
      `INSERT INTO first (key, holder_id, holder_host, holder_pid, attempt_id, acquired_at, last_refreshed_at, expires_at)
       VALUES ('job', 'here:1:x', 'here', 1, gen_random_uuid(), now(), now(), now() + interval '1 hour')`,
    )
    const [before] = (await world.admin.query('SELECT token FROM first')).rows
    expect((await listFunctions(world.admin)).some(({ definer }) => definer)).toBe(true)
    const locks = createLocks(world.admin, { table: 'first' })
    await Promise.all([1, 2, 3].map(() => locks.migrate()))
    expect((await listFunctions(world.admin)).some(({ definer }) => definer)).toBe(false)
    expect(await locks.tryAcquire('job')).toMatchObject({
      acquired: false,
      holder: { host: 'here' },
      token: BigInt(before.token),
    })
    expect(await locks.break('job', { force: true })).toMatchObject({ verdict: 'broken' })
    const lease = await locks.acquire('job')
    expect(lease.token).toBeGreaterThan(BigInt(before.token))
    await lease.release()
    expect(await locks.inspect('job')).toMatchObject({ endReason: 'released' })
    const { rows } = await world.admin.query(
      `SELECT indexdef FROM pg_indexes WHERE tablename = 'first' UNION ALL SELECT sequencename FROM pg_sequences`,
    )
    expect(rows).toHaveLength(1)
    await locks.close()
  })

  test('of two tables that shared a function takes its rights away with the first, and drops it with the second', async () => {
    await using world = await serverWorld()
    await world.admin.query(firstForm('one'))
    await world.admin.query(firstForm('two', 'one_heartbeat'))
    const held = async () =>
      (
        await world.admin.query(
          `SELECT has_function_privilege('public', oid, 'EXECUTE') AS everyone FROM pg_proc WHERE proname = 'one_heartbeat'`,
        )
      ).rows
    await createLocks(world.admin, { table: 'one' }).migrate()
    expect(await held()).toEqual([{ everyone: false }])
    await createLocks(world.admin, { table: 'two' }).migrate()
    expect(await held()).toEqual([])
  })
})
