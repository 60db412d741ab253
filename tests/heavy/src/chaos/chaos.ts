import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate, openDatabase } from '@tidemark/sync-core'
import type { Part, Stage } from '../ground/part.ts'
import { withClient } from '../ground/with-client.ts'
import { setUpAudit, takeAudit } from './audit.ts'
import { checksOf } from './checks.ts'
import { canFakeClocks } from './faked-clock.ts'
import { blankFigures, type ChaosFigures } from './figures.ts'
import { type AuditMemory, judgeAudit } from './judge-audit.ts'
import { judgeRun, wasTakenOver } from './judge-run.ts'
import { lookAtPages } from './look-at-pages.ts'
import { type MovingSource, movingSource } from './moving-source.ts'
import { planWave, type WavePlan } from './plan-wave.ts'
import { recover } from './recover.ts'
import type { ChaosSettings } from './settings.ts'
import { throwWave, type WaveRun } from './throw-wave.ts'
import { type Finding, PROMISES } from './violation.ts'

/**
 * Waves of syncs, and all that can go wrong with processes, connections, servers and clocks, until so much has been
 * thrown as `settings` says; after each wave the database is looked at.
 */
export async function chaos(settings: ChaosSettings, stage: Stage): Promise<Part<ChaosFigures>> {
  const { ground, seed, tell } = stage
  const started = performance.now()
  const home = join(ground.folder, 'chaos')
  await mkdir(home)
  await using resources = new AsyncDisposableStack()
  const sources = await Promise.all(
    Array.from({ length: settings.sources }, async (_, n) => resources.use(await movingSource(n, seed, home))),
  )
  const url = await ground.createDatabase('chaos')
  const db = await openDatabase(url)
  await migrate(db)
  await db.close()
  await withClient(url, setUpAudit)
  if (!canFakeClocks) tell('NO CLOCK IS FAKED: libfaketime is not there (apt-get install libfaketime)')

  const figures = blankFigures(seed)
  const { violations } = figures
  const note = (wave: number, findings: readonly Finding[]) => {
    for (const finding of findings) {
      violations.push({ ...finding, seed, wave })
      tell(`NOT KEPT, seed ${seed}, wave ${wave}, ${finding.source}: ${PROMISES[finding.promise]}: ${finding.seen}`)
    }
  }
  const watch = watcher({ url, sources, figures, note })
  const done = () => figures.kills >= settings.kills && figures.pauses >= settings.pauses
  const mostWaves = Math.ceil(20 + (settings.kills + settings.pauses) / settings.sources) * 2
  while (!done() && figures.waves < mostWaves) {
    ground.signal.throwIfAborted()
    const plan = planWave(seed, ++figures.waves, sources.length)
    const throwing = { plan, url, ground, sources, home, thrown: figures }
    await watch(plan, await throwWave(throwing))
    ground.signal.throwIfAborted()
    const { waves, kills, pauses } = figures
    tell(
      `wave ${waves}: ${kills} of ${settings.kills} kills, ${pauses} of ${settings.pauses} pauses, ${violations.length} violations`,
    )
  }
  tell('undisturbed runs, and an import from nothing beside them')
  const found = await recover({
    url,
    freshUrl: await ground.createDatabase('chaos_fresh'),
    sources,
    home,
    ground,
  })
  note(figures.waves + 1, found)
  figures.elapsedSeconds = Math.round((performance.now() - started) / 1_000)
  return { figures, checks: checksOf(figures, settings) }
}

interface Watching {
  readonly url: string
  readonly sources: readonly MovingSource[]
  readonly figures: ChaosFigures
  readonly note: (wave: number, findings: readonly Finding[]) => void
}

/** Looks at everything after a wave, and adds to the figures what it sees. */
function watcher({ url, sources, figures, note }: Watching) {
  const memory: AuditMemory = { pids: new Map(), tokens: new Map() }
  const since = new Map(sources.map(({ id }) => [id, 0]))
  return async ({ wave, database, sources: plans }: WavePlan, runs: readonly WaveRun[]): Promise<void> => {
    const findings: Finding[] = []
    for (const { name, pid } of runs) memory.pids.set(name, pid)
    await withClient(url, async (db) => {
      const { writes, leases } = await takeAudit(db)
      figures.writesAudited += writes.length
      figures.leasesAudited += leases.filter(({ holderPid }) => holderPid !== null).length
      findings.push(...judgeAudit({ writes, leases }, memory))
      for (const [i, source] of sources.entries()) {
        const { mood } = plans[i]!
        const circumstances = { database, mood, writes, leases }
        for (const run of runs.filter((run) => run.source === source.id)) {
          findings.push(...judgeRun(run, circumstances))
          if (run.woken && wasTakenOver(run, circumstances)) figures.pauses++
          const end = endOf(run)
          figures.runs[end] = (figures.runs[end] ?? 0) + 1
        }
        const look = await lookAtPages(db, source, since.get(source.id)!)
        findings.push(...look.findings)
        figures.looks[look.finished ? 'finished' : 'unfinished']++
        // Where the ref is now may not have been begun yet.
        if (look.finished) since.set(source.id, source.positions.length - 1)
      }
    })
    note(wave, findings)
  }
}

function endOf({ result, killed, exitCode, exitSignal }: WaveRun): string {
  if (result === null) return killed ? 'killed' : `broke (${exitSignal ?? exitCode})`
  if (result.status === 'partial') return `partial (${result.reason})`
  return result.status === 'failed' ? `failed (${result.error.code})` : result.status
}
