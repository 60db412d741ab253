/**
 * Plays some hours of the published account: every policy on the same commits at the same time, each with its own
 * database on one server and its own hourly cron. An hour is some seconds.
 *
 * Commits arrive by the schedule, whoever is behind (refs). A policy starts a wave every hour, whether or not its last
 * one has ended, at a minute of its own (policies/, legacy/ for what was before). A limit kills what takes too long, as
 * cron and runners do. What a wave came to is judged by the bookmarks before and after it (run-wave); how stale each
 * source is is sampled all the while.
 *
 * A policy that does worse than promised fails its check, and so does the old one where it does not show the cascade:
 * then the reproduction is wrong (check-policies). Ctrl-C ends all processes of all policies.
 */
import { generateSource } from '../harness/generate-source.ts'
import type { Harness, Report } from '../harness/harness.ts'
import { checkPolicies, OURS } from './check-policies.ts'
import { startEmbeddingService } from './legacy/embedding.ts'
import { firstFix, old } from './policies/legacy.ts'
import { matrix } from './policies/matrix.ts'
import type { Policy, PolicyContext } from './policies/policy.ts'
import { all, cron, independent } from './policies/tidemark.ts'
import { createRecord, type PolicyRecord, type StalenessSample, type Wave } from './policy-record.ts'
import { type Refs, type ScaledClock, startClock, trackRefs } from './refs.ts'
import { runWave } from './run-wave.ts'
import { type Arrival, createSchedule, SHAPES, scaleLimits } from './schedule.ts'

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

const SAMPLES_PER_HOUR = 30

export async function reproduce(settings: ReproductionSettings, harness: Harness): Promise<Report<Reproduction>> {
  const { hours, budgetSeconds } = settings
  const { seed, log, folder: home } = harness
  const limits = scaleLimits(budgetSeconds)
  const schedule = createSchedule(SHAPES, hours, seed)
  await using embedding = await startEmbeddingService((EMBEDDING_SECONDS * limits.hourMs) / 3_600)
  const sources = await Promise.all(
    SHAPES.map(async (shape) => {
      const changes = schedule.filter(({ source }) => source === shape.id).map(({ files }) => files)
      return { ...shape, ...(await generateSource(shape, { changes, seed, home })) }
    }),
  )
  const context: PolicyContext = { harness, limits, sources, embeddingUrl: embedding.url }
  const policies: Policy[] = []
  for (const prepare of POLICIES) policies.push(await prepare(context))
  log(`${sources.length} sources are ready; an hour is ${(limits.hourMs / 1000).toFixed(1)} s`)

  const clock = startClock(limits.hourMs)
  const ids = sources.map(({ id }) => id)
  const timelines = await runTimeline(policies, { clock, refs: trackRefs(sources, schedule), ids, hours, harness })
  for (const policy of policies) await policy.close()
  const records = policies.map(({ name }, i) => createRecord(name, timelines[i]!.waves, timelines[i]!.samples))
  // For the reader, what was before comes first.
  records.sort((a, b) => Number(OURS.includes(a.policy)) - Number(OURS.includes(b.policy)))
  return {
    figures: { hours, hourMs: limits.hourMs, schedule, policies: records },
    checks: checkPolicies(records, hours),
  }
}

interface Timeline {
  readonly clock: ScaledClock
  readonly refs: Refs
  readonly ids: readonly string[]
  readonly hours: number
  readonly harness: Harness
}

async function runTimeline(policies: readonly Policy[], timeline: Timeline) {
  const { clock, refs, hours, harness } = timeline
  const over = new AbortController()
  const signal = AbortSignal.any([harness.signal, over.signal])
  const runAllWaves = async () => {
    const waves = await Promise.all(policies.map((policy, i) => runWaves(policy, i / policies.length, timeline)))
    await clock.until(hours, harness.signal)
    over.abort()
    return waves
  }
  const arriving = refs.follow(clock, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  const sampling = policies.map((policy) => sampleStaleness(policy, timeline, signal))
  const [waves, samples] = await Promise.all([runAllWaves(), Promise.all(sampling), arriving])
  return waves.map((waves, i) => ({ waves, samples: samples[i]! }))
}

/** Starts a wave every hour, whether or not the last one has ended. */
async function runWaves(policy: Policy, offset: number, timeline: Timeline): Promise<Wave[]> {
  const { clock, hours, harness } = timeline
  const waves: Promise<Wave>[] = []
  for (let hour = 0; hour < hours; hour++) {
    await clock.until(hour + offset, harness.signal)
    const wave = runWave(policy, timeline)
    waves.push(wave)
    wave.then(
      ({ outcome, killed }) =>
        harness.log(`hour ${hour + 1} of ${hours}: ${policy.name} ${outcome}${killed ? ', killed' : ''}`),
      (error: unknown) => {
        if (!harness.signal.aborted) harness.log(`hour ${hour + 1} of ${hours}: ${policy.name} broke: ${error}`)
      },
    )
  }
  return Promise.all(waves)
}

async function sampleStaleness(policy: Policy, { clock, refs, ids }: Timeline, signal: AbortSignal) {
  const samples = new Map<string, StalenessSample[]>(ids.map((id) => [id, []]))
  for (let n = 1; ; n++) {
    try {
      await clock.until(n / SAMPLES_PER_HOUR, signal)
    } catch {
      return samples
    }
    const bookmarks = await policy.bookmarks()
    const now = clock.now()
    for (const id of ids) samples.get(id)!.push([now, refs.hoursBehind(id, bookmarks.get(id) ?? null, now)])
  }
}
