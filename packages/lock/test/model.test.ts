import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Lease, Locks } from '../src/index.ts'
import { type LockWorld, lockWorld, routes } from './world/lock-world.ts'

/** What must be so, whatever was done: who has the key by the database's clock, and the greatest token ever seen. */
interface Model {
  holder: { kind: 'ours'; lease: Lease } | { kind: 'old'; pid: number } | null
  greatest: bigint
  /** Expired and taken by nobody yet: the fence of such a lease still holds, and may. */
  expired: Lease | null
  /** Released early, and kept from others for longer. */
  kept: boolean
  past: Lease[]
}

interface Real {
  readonly world: LockWorld
  readonly clients: Locks[]
}

const KEY = 'job'
const client = fc.nat(2)

/** A program that knows only of expiry, in the statements that such programs have. */
const old = (world: LockWorld) => ({
  acquire: async (pid: number) =>
    (
      await world.db.query(
        `INSERT INTO ${world.table} (key, holder_pid, holder_host, acquired_at, expires_at)
         VALUES ('${KEY}', $1, 'old', now(), now() + interval '1 hour')
         ON CONFLICT (key) DO UPDATE SET holder_pid = $1, holder_host = 'old', acquired_at = now(), expires_at = now() + interval '1 hour'
         WHERE ${world.table}.expires_at < now() RETURNING 1`,
        [pid],
      )
    ).rows.length > 0,
  extend: (pid: number) =>
    world.db.query(
      `UPDATE ${world.table} SET expires_at = now() + interval '1 hour' WHERE key = '${KEY}' AND holder_host = 'old' AND holder_pid = $1 AND expires_at > now()`,
      [pid],
    ),
  release: (pid: number) =>
    world.db.query(`DELETE FROM ${world.table} WHERE key = '${KEY}' AND holder_host = 'old' AND holder_pid = $1`, [
      pid,
    ]),
})

async function noteToken(model: Model, { world }: Real): Promise<void> {
  const row = await world.row(KEY)
  // An old program's release deletes it; the next token is greater by the clock.
  if (!row) return
  const token = BigInt(row.token)
  expect(token).toBeGreaterThanOrEqual(model.greatest)
  model.greatest = token
}

function taken(model: Model, holder: Model['holder']): void {
  if (holder?.kind === 'ours') expect(holder.lease.token).toBeGreaterThan(model.greatest)
  ended(model)
  model.holder = holder
}

function ended(model: Model): void {
  if (model.holder?.kind === 'ours') model.past.push(model.holder.lease)
  if (model.expired) model.past.push(model.expired)
  model.holder = null
  model.expired = null
  model.kept = false
}

/** Whether anyone may take it, by the database's clock. */
const isFree = (model: Model) => model.holder === null && !model.kept

/** A command that can always be tried; `act` does it and says what the model expects. */
const command = (name: string, act: (model: Model, real: Real) => Promise<void>): fc.AsyncCommand<Model, Real> => ({
  check: () => true,
  async run(model, real) {
    await act(model, real)
    await noteToken(model, real)
  },
  toString: () => name,
})

const commands = [
  client.map((i) =>
    command(`acquire by ${i}`, async (model, { clients }) => {
      const attempt = await clients[i]!.tryAcquire(KEY)
      expect(attempt.acquired).toBe(isFree(model))
      if (attempt.acquired) taken(model, { kind: 'ours', lease: attempt.lease })
    }),
  ),
  fc.constant(
    command('acquire by all at once', async (model, { clients }) => {
      const attempts = await Promise.all(clients.map((locks) => locks.tryAcquire(KEY)))
      const won = attempts.flatMap((attempt) => (attempt.acquired ? [attempt.lease] : []))
      expect(won).toHaveLength(isFree(model) ? 1 : 0)
      if (won[0]) taken(model, { kind: 'ours', lease: won[0] })
    }),
  ),
  fc.constant(
    command('release by the holder', async (model) => {
      if (model.holder?.kind !== 'ours') return
      expect(await model.holder.lease.release()).toBe(true)
      ended(model)
    }),
  ),
  fc.constant(
    command('refresh by the holder', async (model) => {
      if (model.holder?.kind !== 'ours') return
      await model.holder.lease.refresh()
      expect(model.holder.lease.held).toBe(true)
    }),
  ),
  fc.nat().map((n) =>
    command(`a past lease tries everything (${n})`, async (model, { world }) => {
      const lease = model.past[n % Math.max(model.past.length, 1)]
      if (!lease) return
      const { text, params } = lease.fenceSql(1)
      expect((await world.db.query(text, params)).rows).toEqual([])
      await expect(lease.refresh()).rejects.toMatchObject({
        code: expect.stringMatching(/LEASE_LOST|LOCK_CLOSED/),
      })
      expect(lease.held).toBe(false)
    }),
  ),
  fc.constant(
    command('the time of whoever holds it runs out', async (model, { world }) => {
      await world.expire(KEY)
      const expired = model.holder?.kind === 'ours' ? model.holder.lease : model.expired
      model.holder = null
      model.expired = expired
      model.kept = false
    }),
  ),
  fc.tuple(client, fc.boolean()).map(([i, force]) =>
    command(`break by ${i}${force ? ', forced' : ''}`, async (model, { clients }) => {
      const { verdict } = await clients[i]!.break(KEY, { maxAgeMs: 60_000, force })
      if (model.holder || model.kept) expect(verdict).toBe(force ? 'broken' : 'refused')
      if (verdict === 'broken') ended(model)
    }),
  ),
  client.map((i) =>
    command(`acquire by ${i} for a minute at least, and release`, async (model, { clients }) => {
      const free = isFree(model)
      const attempt = await clients[i]!.tryAcquire(KEY, { atLeastMs: 60_000 })
      expect(attempt.acquired).toBe(free)
      if (!attempt.acquired) return
      taken(model, { kind: 'ours', lease: attempt.lease })
      expect(await attempt.lease.release()).toBe(true)
      ended(model)
      model.kept = true
    }),
  ),
  fc.constant(
    command('update and ensure by the holder', async (model, { world }) => {
      if (model.holder?.kind !== 'ours') return
      await model.holder.lease.update({ by: 'the model' })
      await model.holder.lease.ensure(1_000)
      expect(await world.locks.inspect(KEY)).toMatchObject({ info: { by: 'the model' } })
    }),
  ),
  client.map((i) =>
    command(`a request to resign by ${i}`, async (model, { clients }) => {
      expect(await clients[i]!.requestResign(KEY)).toBe(model.holder !== null)
      if (model.holder?.kind !== 'ours') return
      await model.holder.lease.refresh()
      expect(model.holder.lease.resignSignal.aborted).toBe(true)
    }),
  ),
  client.map((i) =>
    command(`prune by ${i}`, async (model, { clients, world }) => {
      const there = (await world.row(KEY)) !== undefined
      const pruned = await clients[i]!.prune({ olderThanMs: 0 })
      if (!isFree(model)) expect(pruned).toBe(0)
      else if (there && pruned > 0) ended(model)
    }),
  ),
  client.map((i) =>
    command(`a fenced transaction of ${i}, during which nobody takes it`, async (model, { world, clients }) => {
      if (model.holder?.kind !== 'ours' || !world.transaction) return
      const { lease } = model.holder
      await world.transaction(async (tx) => {
        await lease.fence(tx)
        expect(await clients[i]!.tryAcquire(KEY)).toMatchObject({ acquired: false })
        await lease.refresh()
      })
    }),
  ),
  fc.constant(
    command('the clock of the database goes back by an hour', async (model, { world, clients }) => {
      if (model.holder?.kind !== 'ours') return
      await world.db.query(
        `UPDATE ${world.table} SET last_refreshed_at = last_refreshed_at + interval '1 hour',
           expires_at = expires_at + interval '1 hour', token = token WHERE key = $1`,
        [KEY],
      )
      expect(await clients[1]!.tryAcquire(KEY)).toMatchObject({ acquired: false })
      expect((await world.locks.inspect(KEY))!.expiresInMs).toBeLessThanOrEqual(3_600_000)
      await model.holder.lease.refresh()
    }),
  ),
  fc.nat(1).map((pid) =>
    command(`acquire by the old program ${pid}`, async (model, { world }) => {
      const free = isFree(model)
      expect(await old(world).acquire(pid)).toBe(free)
      if (free) taken(model, { kind: 'old', pid })
    }),
  ),
  fc.nat(1).map((pid) =>
    command(`extend or release by the old program ${pid}`, async (model, { world }) => {
      if (model.holder?.kind !== 'old' || model.holder.pid !== pid) return
      await old(world).extend(pid)
      await old(world).release(pid)
      ended(model)
    }),
  ),
  fc.constant(
    command('race of ours and an old program', async (model, { world, clients }) => {
      const [ours, theirs] = await Promise.all([clients[0]!.tryAcquire(KEY), old(world).acquire(9)])
      expect(Number(ours.acquired) + Number(theirs)).toBe(isFree(model) ? 1 : 0)
      if (ours.acquired) taken(model, { kind: 'ours', lease: ours.lease })
      else if (theirs) taken(model, { kind: 'old', pid: 9 })
    }),
  ),
]

describe.each(routes)('on %s any interleaving of ours and older programs', (route) => {
  test('has one holder at most, tokens that only rise, and no write by a past lease', {
    timeout: 120_000,
  }, async () => {
    await using world = await lockWorld(route, { ttlMs: 3_600_000, heartbeatMs: 600_000 })
    const clients = [world.locks, world.another(), world.another()]
    let greatest = 0n
    await fc.assert(
      fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
        await world.expire(KEY)
        const model: Model = { holder: null, greatest, expired: null, kept: false, past: [] }
        await fc.asyncModelRun(() => ({ model, real: { world, clients } }), sequence)
        greatest = model.greatest
      }),
      { numRuns: route === 'postgres' ? 1000 : 200, endOnFailure: true },
    )
  })
})
