import { execa } from 'execa'
import type { Stage } from '../ground/part.ts'
import { tidemarkHome } from '../policies/tidemark-home.ts'
import { limitsFor } from '../reproducer/limits.ts'
import { generateSource } from '../sources/generate.ts'
import { SHAPES } from '../sources/shape.ts'
import type { MeasuredCosts } from './costs.ts'
import { median } from './median.ts'

/** Files that the two commits after the first one touch: what the second takes longer is what files take. */
const SHORT_PAGES = { id: 'short', pages: 800, sections: 2, few: 1, many: 400 } as const
const LONG_PAGES = { id: 'long', pages: 60, sections: 40, few: 1, many: 40 } as const
const LOOKS = 3

/** What the real command takes here, with a source of short pages and one of long ones. */
export async function measureCosts(stage: Stage): Promise<MeasuredCosts> {
  const { ground, seed, tell } = stage
  const limits = limitsFor(540)
  tell('costs of the command')
  const sources = await Promise.all(
    [SHORT_PAGES, LONG_PAGES].map(async ({ few, many, ...wanted }, i) => {
      const shape = { ...SHAPES[i * 3]!, ...wanted, isNew: false }
      const made = await generateSource(shape, { changes: [few, many], seed, home: ground.folder })
      return { ...shape, ...made, few, many }
    }),
  )
  const home = await tidemarkHome({ ground, sources, limits, embeddingUrl: '', tell }, 'costs')
  const sync = async (source: string) => {
    const startMs = performance.now()
    const command = execa('tidemark', ['sync', '--source', source, '--json'], {
      ...home,
      extendEnv: false,
      cancelSignal: ground.signal,
    })
    const { elapsedMs, blobsRead } = JSON.parse((await command).stdout).results[0]
    return {
      elapsed: elapsedMs / 1_000,
      around: (performance.now() - startMs - elapsedMs) / 1_000,
      blobsRead,
    }
  }
  const looks = []
  for (let n = 0; n < LOOKS; n++) looks.push(await sync('short'))
  const costs = []
  for (const { id, folder, commits } of sources) {
    const runs = []
    for (const commit of commits.slice(1)) {
      await execa('git', ['-C', folder, 'update-ref', 'refs/heads/main', commit])
      runs.push(await sync(id))
    }
    const [few, many] = runs as [(typeof runs)[0], (typeof runs)[0]]
    const each = Math.max(0, many.elapsed - few.elapsed) / (many.blobsRead - few.blobsRead)
    costs.push({ fixed: few.elapsed - few.blobsRead * each, each })
  }
  await home.close()
  const [short, long] = costs as [(typeof costs)[0], (typeof costs)[0]]
  const section = Math.max(0, long.each - short.each) / (LONG_PAGES.sections - SHORT_PAGES.sections)
  return {
    start: median(looks.map(({ around }) => around)),
    look: median(looks.map(({ elapsed }) => elapsed)),
    fixed: Math.max(short.fixed, long.fixed),
    file: Math.max(0, short.each - SHORT_PAGES.sections * section),
    section,
  }
}
