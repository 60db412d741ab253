import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '@tidemark/test-engines/seeded-random'
import { expect, test } from 'vitest'
import { wavesWorld } from './world/waves.ts'

const WAVES = 20
/** Repositories that take commits: real ones where there are bundles of them. */
const CORPORA = process.env.TIDEMARK_CORPORA
const NAMES = CORPORA ? ['astro', 'book', 'rfcs', 'vue-zh', 'zola'] : ['docs', 'wiki', 'handbook', 'notes']
/** About what a wave takes. */
const MAX_DELAY_MS = 1_500

test('twenty waves with commits that arrive and cancels at random leave all in and searchable, and none is red without a cause', {
  timeout: 1_200_000,
}, async () => {
  const random = seededRandom(23)
  await using world = await wavesWorld()
  await world.vite('vite.git')
  const refs: Record<string, string> = { vite: await world.git('vite.git').revparse('main') }
  for (const name of NAMES) {
    if (CORPORA) await world.git('.').clone(join(CORPORA, `${name}.bundle`), name, ['--branch', 'main'])
    refs[name] = await world.commit(name, { 'a.md': `# ${name}` })
  }
  world.configure({
    vite: { repo: './vite.git', ref: 'main' },
    ...Object.fromEntries(NAMES.map((name) => [name, { repo: `./${name}` }])),
  })
  let cancelled = 0
  for (let i = 0; i < WAVES; i++) {
    const name = NAMES[Math.floor(random() * NAMES.length)]!
    refs[name] = await world.commit(name, { [`${i}.md`]: `# Page ${i}` })
    const run = world.start()
    const cancels = random() < 0.5
    if (cancels) {
      await Promise.race([sleep(random() * MAX_DELAY_MS), run.ended])
      run.cancel()
    }
    const { conclusion, jobs } = await run.ended
    if (conclusion === 'cancelled') cancelled++
    const errors = jobs.flatMap(({ annotations }) => annotations.filter(({ level }) => level === 'error'))
    if (conclusion === 'failure') expect(errors).not.toEqual([])
    if (!cancels) expect(conclusion, JSON.stringify(errors)).toBe('success')
  }
  expect(cancelled).toBeGreaterThan(0)
  expect((await world.wave()).conclusion).toBe('success')
  expect(await world.bookmarks()).toEqual(refs)
  expect(await world.unindexed()).toEqual([])
})
