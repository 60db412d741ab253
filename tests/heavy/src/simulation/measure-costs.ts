import { execa } from 'execa'
import { generateSource } from '../harness/generate-source.ts'
import { moveMain } from '../harness/git.ts'
import type { Harness } from '../harness/harness.ts'
import { median } from '../harness/statistics.ts'
import { createHome } from '../reproduction/policies/tidemark.ts'
import { SHAPES, scaleLimits } from '../reproduction/schedule.ts'
import type { MeasuredCosts } from './costs.ts'

/** Files that the two commits after the first one touch: what the second takes longer is what files take. */
const SHORT_PAGES = { id: 'short', pages: 800, sections: 2, few: 1, many: 400 } as const
const LONG_PAGES = { id: 'long', pages: 60, sections: 40, few: 1, many: 40 } as const
const CHECKS = 3

/** What the real command takes here, with a source of short pages and one of long ones. */
export async function measureCosts(harness: Harness): Promise<MeasuredCosts> {
  const { seed, log, folder: home, signal } = harness
  log('costs of the command')
  const sources = await Promise.all(
    [SHORT_PAGES, LONG_PAGES].map(async ({ few, many, ...own }, i) => {
      const shape = { ...SHAPES[i * 3]!, ...own, isNew: false }
      return { ...shape, ...(await generateSource(shape, { changes: [few, many], seed, home })) }
    }),
  )
  const context = { harness, sources, limits: scaleLimits(540), embeddingUrl: '' }
  const { cwd, env, close } = await createHome(context, 'costs')
  const sync = async (source: string) => {
    const startMs = performance.now()
    const options = { cwd, env, extendEnv: false, cancelSignal: signal }
    const { stdout } = await execa('tidemark', ['sync', '--source', source, '--json'], options)
    const { elapsedMs, blobsRead } = JSON.parse(stdout).results[0]
    return { elapsed: elapsedMs / 1_000, around: (performance.now() - startMs - elapsedMs) / 1_000, blobsRead }
  }
  const checks = []
  for (let n = 0; n < CHECKS; n++) checks.push(await sync('short'))
  const costs = []
  for (const { id, folder, commits } of sources) {
    const runs = []
    for (const commit of commits.slice(1)) {
      await moveMain(folder, commit)
      runs.push(await sync(id))
    }
    const [few, many] = runs as [(typeof runs)[0], (typeof runs)[0]]
    const perFile = Math.max(0, many.elapsed - few.elapsed) / (many.blobsRead - few.blobsRead)
    costs.push({ fixed: few.elapsed - few.blobsRead * perFile, perFile })
  }
  await close()
  const [short, long] = costs as [(typeof costs)[0], (typeof costs)[0]]
  const section = Math.max(0, long.perFile - short.perFile) / (LONG_PAGES.sections - SHORT_PAGES.sections)
  return {
    start: median(checks.map(({ around }) => around)),
    check: median(checks.map(({ elapsed }) => elapsed)),
    fixed: Math.max(short.fixed, long.fixed),
    file: Math.max(0, short.perFile - SHORT_PAGES.sections * section),
    section,
  }
}
