/**
 * Plays some hours of the published account, and some with twice its changes: every policy on the same commits at the
 * same time, each with its own database on one server and its own hourly cron. An hour is some seconds.
 *
 * Commits arrive by the schedule, whoever is behind (refs). A policy starts a wave every hour, whether or not its last
 * one has ended, at a minute of its own (policies/, legacy/ for what was before). A limit kills what takes too long, as
 * cron and runners do. What a wave came to is judged by the pages before and after it (run-wave); how stale each source
 * is is sampled all the while; in the end the texts of all pages are compared too (verify-end).
 *
 * A policy that does worse than promised fails its check, and so does the old one where it does not show what its account
 * says: then the reproduction is wrong (check-policies). Ctrl-C ends all processes of all policies.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSource } from '../harness/generate-source.ts'
import type { Check, Harness, Report } from '../harness/harness.ts'
import { checkDoubled, checkPages, checkPolicies } from './check-policies.ts'
import { startEmbeddingService } from './embedding-service.ts'
import { firstFix, old } from './policies/legacy.ts'
import { matrix } from './policies/matrix.ts'
import type { Policy, PolicyContext } from './policies/policy.ts'
import { all, cron, disturbed, independent } from './policies/tidemark.ts'
import { createRecord, type PolicyRecord, type PolicySamples, type Wave } from './policy-record.ts'
import { type Refs, type ScaledClock, startClock, trackRefs } from './refs.ts'
import { runWave } from './run-wave.ts'
import { createSchedule, type Limits, SHAPES, scaleLimits } from './schedule.ts'
import { verifyEnd } from './verify-end.ts'

/** What came of some hours. */
export interface Scenario {
  /** How many times the account's changes there were. */
  readonly load: number
  readonly hours: number
  readonly policies: readonly PolicyRecord[]
}

export interface Reproduction {
  /** How long an hour was. */
  readonly hourMs: number
  readonly scenarios: readonly Scenario[]
}

export interface ReproductionSettings {
  readonly hours: number
  /** How many hours with twice the changes; 0 for none. */
  readonly doubledHours: number
  /** How long the 540 seconds of a budget are here; everything else is scaled alike. */
  readonly budgetSeconds: number
}

/** In the order in which their crons start within an hour, evenly apart. */
const POLICIES = [old, cron, all, matrix, firstFix, independent, disturbed]
const DOUBLED_POLICIES = [old, cron, firstFix, all]

/**
 * What the old policy's work costs, in seconds of the account's: storing a page, by its sections, and a request of the
 * embedding service. Together they are the 6 seconds that a file of its first source takes. The service answers so many
 * requests at a time that what three hours have left takes the 20 minutes that the account gives for a backlog.
 */
const SECTION_SECONDS = 1.3
const EMBEDDING = { seconds: 3.4, slots: 6 }

const SAMPLES_PER_HOUR = 30
/** Whether all is embedded asks for every chunk. */
const SAMPLES_PER_EMBEDDED_SAMPLE = 3

export async function reproduce(settings: ReproductionSettings, harness: Harness): Promise<Report<Reproduction>> {
  const limits = scaleLimits(settings.budgetSeconds)
  harness.log(`an hour is ${(limits.hourMs / 1_000).toFixed(1)} s`)
  const asPublished = await playHours(1, settings.hours, POLICIES, limits, harness)
  const scenarios = [asPublished]
  const checks: Check[] = [...checkPolicies(asPublished), ...checkPages(asPublished)]
  if (settings.doubledHours > 0) {
    const doubled = await playHours(2, settings.doubledHours, DOUBLED_POLICIES, limits, harness)
    scenarios.push(doubled)
    checks.push(...checkDoubled(doubled), ...checkPages(doubled))
  }
  return { figures: { hourMs: limits.hourMs, scenarios }, checks }
}

type Prepare = (context: PolicyContext) => Promise<Policy>

/** Plays so many hours, on sources and databases of their own. */
async function playHours(load: number, hours: number, prepared: readonly Prepare[], limits: Limits, parts: Harness) {
  const folder = join(parts.folder, `load-${load}`)
  await mkdir(folder)
  const harness = { ...parts, folder, createDatabase: (name: string) => parts.createDatabase(`${name}-${load}`) }
  const schedule = createSchedule(SHAPES, hours, load, harness.seed)
  await using embedding = await startEmbeddingService(EMBEDDING.seconds * limits.second, EMBEDDING.slots)
  const sources = await Promise.all(
    SHAPES.map(async (shape) => {
      const changes = schedule.filter(({ source }) => source === shape.id).map(({ files }) => files)
      const pageMs = SECTION_SECONDS * shape.sections * limits.second
      return { ...shape, pageMs, ...(await generateSource(shape, { changes, seed: harness.seed, home: folder })) }
    }),
  )
  const context: PolicyContext = { harness, limits, sources, embedding }
  const policies: Policy[] = []
  for (const prepare of prepared) policies.push(await prepare(context))
  const refs = await trackRefs(sources, schedule)
  harness.log(`${sources.length} sources are ready, with ${load} × the account's changes`)

  const timeline = { clock: startClock(limits.hourMs), refs, hours, harness }
  const playing = policies.map((policy, i) =>
    Promise.all([runWaves(policy, i / policies.length, timeline), sample(policy, timeline)]),
  )
  const [played] = await Promise.all([Promise.all(playing), refs.follow(timeline.clock, harness.signal)])
  const records: PolicyRecord[] = []
  for (const [i, policy] of policies.entries()) {
    records.push(createRecord(policy.name, ...played[i]!, await verifyEnd(policy, refs, embedding)))
    await policy.observer.db.end()
  }
  // For the reader, what was before comes first.
  const legacy = ['old', 'first-fix']
  records.sort((a, b) => Number(legacy.includes(b.policy)) - Number(legacy.includes(a.policy)))
  return { load, hours, policies: records }
}

interface Timeline {
  readonly clock: ScaledClock
  readonly refs: Refs
  readonly hours: number
  readonly harness: Harness
}

/** Starts a wave every hour, whether or not the last one has ended. */
async function runWaves(policy: Policy, offset: number, timeline: Timeline): Promise<Wave[]> {
  const { clock, hours, harness } = timeline
  const waves: Promise<Wave>[] = []
  for (let hour = 0; hour < hours; hour++) {
    await clock.until(hour + offset, harness.signal)
    const wave = runWave(policy, timeline).then((wave) => {
      const took = `${Math.round((wave.endHour - wave.startHour) * 60)} minutes`
      const outcome = `${wave.outcome} in ${took}${wave.killed ? ', killed' : ''}`
      harness.log(`hour ${hour + 1} of ${hours}: ${policy.name} ${outcome}`)
      return wave
    })
    // What breaks one is thrown when all have ended.
    wave.catch(() => {})
    waves.push(wave)
  }
  return Promise.all(waves)
}

async function sample({ observer }: Policy, { clock, refs, hours, harness }: Timeline): Promise<PolicySamples> {
  const staleness = new Map(refs.ids.map((id) => [id, 0]))
  const unembedded: { startHour: number; endHour: number }[] = []
  let wasEmbedded = true
  for (let n = 1; n <= hours * SAMPLES_PER_HOUR; n++) {
    await clock.until(n / SAMPLES_PER_HOUR, harness.signal)
    const bookmarks = await observer.bookmarks()
    const now = clock.now()
    for (const id of refs.ids) {
      staleness.set(id, Math.max(staleness.get(id)!, refs.hoursBehind(id, bookmarks.get(id) ?? null, now)))
    }
    if (n % SAMPLES_PER_EMBEDDED_SAMPLE > 0) continue
    const isEmbedded = !(await observer.hasUnembedded())
    if (wasEmbedded && !isEmbedded) unembedded.push({ startHour: now, endHour: now })
    if (!wasEmbedded) unembedded.at(-1)!.endHour = now
    wasEmbedded = isEmbedded
  }
  return { staleness, unembedded }
}
