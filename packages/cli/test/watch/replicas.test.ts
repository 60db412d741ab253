import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freshDatabase } from '@tidemark/test-engines'
import { commitAll, isolatedGit } from '@tidemark/test-engines/git'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import pg from 'pg'
import { expect, test } from 'vitest'
import { type CliWorld, cliWorld } from '../world/cli-world.ts'

const SOURCES = 40
const REPLICAS = 3
const FAULTS = 24
const EVERY_MS = 15_000

/** Makes the sources of the test, and commits to them again and again until it is stopped. */
async function movingSources(world: CliWorld, random: () => number) {
  const ids = Array.from({ length: SOURCES }, (_, n) => `s${n}`)
  const commit = async (id: string, text: string) => {
    world.write(`${id}/page.md`, text)
    await commitAll(isolatedGit(join(world.folder, id)))
  }
  for (const id of ids) {
    mkdirSync(join(world.folder, id))
    await isolatedGit(join(world.folder, id)).init()
    await commit(id, `# ${id}`)
  }
  world.write(
    'tidemark.yaml',
    `every: ${EVERY_MS / 1_000}s\nsources:\n${ids.map((id) => `  ${id}: { repo: ${id} }`).join('\n')}\n`,
  )
  const over = new AbortController()
  const moving = (async () => {
    for (let n = 0; !over.signal.aborted; n++) await commit(ids[Math.floor(random() * SOURCES)]!, `# ${n}`)
  })()
  return {
    ids,
    async stop() {
      over.abort()
      await moving
    },
  }
}

/** Notes how stale the stalest source was at any moment, once all have been synced, until it is stopped. */
function watchStaleness(url: string) {
  const over = new AbortController()
  const stalest = (async () => {
    const db = new pg.Client(url)
    await db.connect()
    let stalestMs = 0
    while (!over.signal.aborted) {
      const { rows } = await db.query(/* sql */ `
        SELECT count(*)::integer AS n, extract(epoch FROM max(staleness))::float8 * 1000 AS ms FROM tidemark.freshness
        WHERE staleness IS NOT NULL`)
      if (rows[0].n === SOURCES) stalestMs = Math.max(stalestMs, rows[0].ms)
      await sleep(100)
    }
    await db.end()
    return stalestMs
  })()
  return {
    async stop() {
      over.abort()
      return stalest
    },
  }
}

test(`${REPLICAS} watches that are killed and paused at random share ${SOURCES} sources: one syncs each at a time, and none is ever stale for three periods`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(5)
  const { url, drop } = await freshDatabase('postgres')
  const db = new pg.Client(url)
  await db.connect()
  using world = await cliWorld(url)
  const sources = await movingSources(world, random)
  expect(await world.run('migrate')).toMatchObject({ exitCode: 0 })
  const staleness = watchStaleness(url)
  const replicas = Array.from({ length: REPLICAS }, () => world.start('watch --quiet'))
  try {
    for (let n = 0; n < FAULTS; n++) {
      await sleep(200 + random() * 800)
      const i = Math.floor(random() * REPLICAS)
      if (random() < 0.5) {
        replicas[i]!.kill('SIGKILL')
        await replicas[i]
        replicas[i] = world.start('watch --quiet')
      } else {
        replicas[i]!.kill('SIGSTOP')
        await sleep(random() * 2_000)
        replicas[i]!.kill('SIGCONT')
      }
    }
    await sources.stop()

    const heads = new Map<string, string>()
    for (const id of sources.ids) heads.set(id, await isolatedGit(join(world.folder, id)).revparse('HEAD'))
    const behind = async () => {
      const { rows } = await db.query('SELECT id, bookmark FROM tidemark.sources')
      const bookmarks = new Map(rows.map(({ id, bookmark }) => [id, bookmark]))
      return sources.ids.filter((id) => bookmarks.get(id) !== heads.get(id))
    }
    await expect.poll(behind, { timeout: 150_000, interval: 500 }).toEqual([])
    expect(await staleness.stop()).toBeLessThan(3 * EVERY_MS)
    const { rows: overlapping } = await db.query(/* sql */ `
      SELECT one.source_id, one.id, other.id AS other FROM tidemark.runs AS one JOIN tidemark.runs AS other
      ON other.source_id = one.source_id AND other.id > one.id AND other.started_at < one.finished_at
      WHERE one.status <> 'killed'`)
    expect(overlapping).toEqual([])
    const { rows: holders } = await db.query('SELECT count(DISTINCT pid)::integer AS n FROM tidemark.runs')
    expect(holders[0].n).toBeGreaterThanOrEqual(REPLICAS)
    for (const replica of replicas) replica.kill('SIGTERM')
    for (const replica of replicas) expect((await replica).exitCode).toBe(143)
    const { rows: held } = await db.query(
      'SELECT key FROM tidemark.locks WHERE holder_id IS NOT NULL AND expires_at > now()',
    )
    expect(held).toEqual([])
  } finally {
    for (const replica of replicas) replica.kill('SIGKILL')
    await staleness.stop()
    await db.end()
    await drop()
  }
})
