import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../../harness/process.ts'
import { embedStale } from '../embed-stale.ts'
import { seedLegacy } from '../legacy/database.ts'
import type { LegacyArguments, LegacyEvent } from '../legacy/sync.ts'
import { observe } from '../observe.ts'
import { type Policy, type PolicyContext, runInTurn, type SourceWork, type WaveWork, wasKilled } from './policy.ts'

/** One job for all sources and then for what is to be embedded, killed at the wave's limit. */
export async function old(context: PolicyContext): Promise<Policy> {
  const { limits, sources } = context
  const { observer, run } = await createLegacy(context, 'old')
  const settings = { ids: sources.map(({ id }) => id), embeds: true }
  return { name: 'old', observer, wave: () => run(settings, { killAfterMs: limits.waveMs }) }
}

/** The incumbent's fix: old locks are broken by age, then a process and a budget for each source. */
export async function firstFix(context: PolicyContext): Promise<Policy> {
  const { limits } = context
  const { observer, run, embed } = await createLegacy(context, 'first-fix')
  const timeout = ['timeout', `${limits.hardMs / 1_000}`]
  const budgetMs = limits.budgetSeconds * 1_000
  return {
    name: 'first-fix',
    observer,
    embed,
    async wave() {
      await run({ breakOlderThanMs: 1_800 * limits.second })
      return runInTurn(context, (id) => run({ ids: [id], budgetMs }, { timeout }))
    },
  }
}

const DRIVER = fileURLToPath(new URL('../legacy/sync.ts', import.meta.url))

type Work = { -readonly [Key in keyof SourceWork]: SourceWork[Key] } & { read: number }

/** A database of the incumbent's as it is before the first wave, and its driver. */
async function createLegacy({ harness, sources, embedding, limits }: PolicyContext, name: string) {
  const database = await harness.createDatabase(name)
  const folder = join(harness.folder, name)
  await mkdir(folder)
  await seedLegacy(database, sources, folder)
  const observer = await observe(database, 'legacy')
  const common = {
    database,
    embeddingUrl: embedding.urlOf(name),
    embeddingMs: embedding.latencyMs,
    ttlMs: 30 * 60 * limits.second,
    refreshMs: 5 * 60 * limits.second,
  }

  /** @param timeout what stands before the command and ends it with SIGTERM. */
  async function run(
    { ids = [], ...settings }: Omit<LegacyArguments, keyof typeof common | 'sources'> & { ids?: readonly string[] },
    { killAfterMs, timeout = [] }: { killAfterMs?: number; timeout?: readonly string[] } = {},
  ): Promise<WaveWork> {
    const work: Work[] = []
    const chosen = sources.flatMap(({ id, pageMs }) => (ids.includes(id) ? [{ id, pageMs }] : []))
    const onLine = (line: string) => {
      const event = JSON.parse(line) as LegacyEvent
      const now = performance.now()
      if ('begin' in event) {
        work.push({ source: event.begin, startMs: now, endMs: now, read: 0, stopped: true, locked: false })
      }
      const last = work.at(-1)!
      last.endMs = now
      if ('read' in event) last.read++
      if ('end' in event) Object.assign(last, { stopped: event.end === 'partial', locked: event.end === 'locked' })
    }
    const [program, ...args] = [
      ...timeout,
      process.execPath,
      DRIVER,
      JSON.stringify({ ...common, ...settings, sources: chosen }),
    ]
    const options = { signal: harness.signal, onLine, ...(killAfterMs && { killAfterMs }) }
    return { killed: wasKilled(await startProcess([program!, ...args], options).ended), work }
  }
  const embed = () => embedStale(observer.db, common.embeddingUrl, AbortSignal.timeout(limits.halfHourSeconds * 1_000))
  return { observer, run, embed }
}
