import type { Part, Stage } from '../ground/part.ts'
import { startEmbeddingService } from '../legacy/embedding-service.ts'
import { cron } from '../policies/cron.ts'
import { firstFix } from '../policies/first-fix.ts'
import { matrix } from '../policies/matrix.ts'
import { old } from '../policies/old.ts'
import { all, independent } from '../policies/one-command.ts'
import type { Policy, Scene } from '../policies/policy.ts'
import { generateSource } from '../sources/generate.ts'
import { type Arrival, scheduleOf } from '../sources/schedule.ts'
import { SHAPES } from '../sources/shape.ts'
import { type ScaledClock, startClock } from './clock.ts'
import { judge, OURS } from './judge.ts'
import { limitsFor } from './limits.ts'
import { type PolicyRecord, recordOf } from './policy-record.ts'
import { type Refs, refsOf } from './refs.ts'
import { runWave } from './run-wave.ts'
import type { Wave } from './wave.ts'

export interface Reproduction {
  /** How many hours were played, and how long one was. */
  readonly hours: number
  readonly hourMs: number
  readonly schedule: readonly Arrival[]
  readonly policies: readonly PolicyRecord[]
}

export interface ReproductionSettings {
  readonly hours: number
  /** How long the 540 seconds of a budget are here; everything else is scaled alike. */
  readonly budgetSeconds: number
}

/**
 * In the order in which their crons start within an hour, evenly apart. The first fix, whose waves last nearly as long,
 * is the last, so that it runs beside the old policy, which mostly waits.
 */
const POLICIES = [old, cron, all, matrix, independent, firstFix]

/** What the embedding service takes for a request, in seconds of the scaled clock. */
const EMBEDDING_SECONDS = 2

/**
 * Plays some hours of the published account: every policy on the same commits at the same time, each with its own
 * database on one server and its own cron.
 */
export async function reproduce(settings: ReproductionSettings, stage: Stage): Promise<Part<Reproduction>> {
  const { hours, budgetSeconds } = settings
  const { ground, seed, tell } = stage
  const limits = limitsFor(budgetSeconds)
  const schedule = scheduleOf(SHAPES, hours, seed)
  await using embedding = await startEmbeddingService((EMBEDDING_SECONDS * limits.hourMs) / 3_600)
  const sources = await Promise.all(
    SHAPES.map(async (shape) => {
      const changes = schedule.filter(({ source }) => source === shape.id).map(({ files }) => files)
      return { ...shape, ...(await generateSource(shape, { changes, seed, home: ground.folder })) }
    }),
  )
  const scene: Scene = { ground, limits, sources, embeddingUrl: embedding.url, tell }
  const policies: Policy[] = []
  for (const prepare of POLICIES) policies.push(await prepare(scene))
  tell(`${sources.length} sources are ready; an hour is ${(limits.hourMs / 1000).toFixed(1)} s`)

  const clock = startClock(limits.hourMs)
  const refs = refsOf(sources, schedule)
  const ids = sources.map(({ id }) => id)
  const watched = await playOut(policies, { clock, refs, ids, hours, ...stage })
  for (const policy of policies) await policy.close()
  const records = policies.map(({ name }, i) => recordOf(name, watched[i]!.waves, watched[i]!.samples))
  // For the reader, what was before comes first.
  records.sort((a, b) => Number(OURS.includes(a.policy)) - Number(OURS.includes(b.policy)))
  return {
    figures: { hours, hourMs: limits.hourMs, schedule, policies: records },
    checks: judge(records, hours),
  }
}

interface Play extends Stage {
  readonly clock: ScaledClock
  readonly refs: Refs
  readonly ids: readonly string[]
  readonly hours: number
}

async function playOut(policies: readonly Policy[], play: Play) {
  const { clock, refs, hours, ground } = play
  const over = new AbortController()
  const signal = AbortSignal.any([ground.signal, over.signal])
  const playing = async () => {
    const played = await Promise.all(policies.map((policy, i) => runCron(policy, i / policies.length, play)))
    await clock.until(hours, ground.signal)
    over.abort()
    return played
  }
  const arriving = refs.follow(clock, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  const watching = policies.map((policy) => watch(policy, play, signal))
  const [played, samples] = await Promise.all([playing(), Promise.all(watching), arriving])
  return played.map((waves, i) => ({ waves, samples: samples[i]! }))
}

/** Starts a wave every hour, whether or not the last one has ended. */
async function runCron(policy: Policy, offset: number, play: Play): Promise<Wave[]> {
  const { clock, hours, ground, tell } = play
  const waves: Promise<Wave>[] = []
  for (let hour = 0; hour < hours; hour++) {
    await clock.until(hour + offset, ground.signal)
    const wave = runWave(policy, play)
    waves.push(wave)
    wave.then(
      ({ outcome, cut }) => tell(`hour ${hour + 1} of ${hours}: ${policy.name} ${outcome}${cut ? ', killed' : ''}`),
      () => {},
    )
  }
  return Promise.all(waves)
}

/** How often an hour a policy's bookmarks are looked at. */
const LOOKS_AN_HOUR = 30

async function watch(policy: Policy, { clock, refs, ids }: Play, signal: AbortSignal) {
  const samples = new Map<string, [number, number][]>(ids.map((id) => [id, []]))
  for (let look = 1; ; look++) {
    try {
      await clock.until(look / LOOKS_AN_HOUR, signal)
    } catch {
      return samples
    }
    const bookmarks = await policy.bookmarks()
    const now = clock.now()
    for (const id of ids) samples.get(id)!.push([now, refs.behindHours(id, bookmarks.get(id) ?? null, now)])
  }
}
