/**
 * The `tidemark` command with few pages and with many, so that what grows is seen: four sources on Postgres, one size
 * after the other, each in databases of its own. A first import, then runs that find nothing new and runs that find 50,
 * 200 and 500 changes; last, another first import, which is killed at half and which the next run has to complete.
 *
 * Memory and the cost of nothing new must not grow, and nothing that was stored may be read again after a kill.
 */
import type { Check, Harness } from '../harness/harness.ts'
import { formatCount, formatMs, renderFigures } from '../harness/tables.ts'
import { isFlat, MAX_PEAK_MB } from '../harness/thresholds.ts'
import { CHANGES, measureSize, type SizeFigures } from './measure-size.ts'

export interface ScaleSettings {
  /** Pages of four sources together, from few to many. */
  readonly sizes: readonly number[]
}

export async function scale(settings: ScaleSettings, harness: Harness) {
  const sizes: SizeFigures[] = []
  for (const size of settings.sizes) sizes.push(await measureSize(size, harness))
  harness.log(`\n${scaleTable(sizes)}`)
  return { figures: { sizes }, checks: checkScale(sizes) }
}

function checkScale(sizes: readonly SizeFigures[]): Check[] {
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!]
  const peak = sizes.reduce((a, b) => (a.peakMb > b.peakMb ? a : b))
  const describeKill = ({ killed, pages }: SizeFigures) =>
    `${killed.readAgain} of ${killed.stored} stored, at ${pages} pages`
  const describeNoop = ({ noopMs, pages }: SizeFigures) => `${Math.round(noopMs)} ms at ${pages} pages`
  return [
    {
      check: `peak memory stays at ${MAX_PEAK_MB} MB or less`,
      passed: peak.peakMb <= MAX_PEAK_MB,
      observed: `${Math.round(peak.peakMb)} MB at ${peak.pages} pages`,
    },
    {
      check: 'nothing new costs the same at every size',
      passed: isFlat(smallest.noopMs, largest.noopMs),
      observed: `${describeNoop(smallest)}, ${describeNoop(largest)}`,
    },
    {
      check: 'what a killed import had stored is not read again',
      passed: sizes.every(({ killed }) => killed.stored < killed.pages && killed.readAgain === 0),
      observed: sizes.map(describeKill).join('; '),
    },
  ]
}

function scaleTable(sizes: readonly SizeFigures[]): string {
  const changes = CHANGES.map((files, n) => [
    `${files} changes`,
    ({ changesMs }: SizeFigures) => formatMs(changesMs[n]!.ms),
  ])
  const title = 'Scale: the command with four sources, on Postgres'
  const notes = ['milliseconds are those of the process from start to end; peak MB is of it, without git']
  return renderFigures({ title, notes }, sizes, ({ pages }) => `${formatCount(pages)} pages`, {
    'first import': ({ importMs }) => formatMs(importMs),
    '  pages/s': ({ pagesPerSecond }) => formatCount(pagesPerSecond),
    'index for search': ({ indexMs }) => formatMs(indexMs),
    '  peak MB': ({ peakMb }) => formatCount(peakMb),
    'nothing new': ({ noopMs }) => formatMs(noopMs),
    '  inside the process': ({ noopInsideMs }) => formatMs(noopInsideMs),
    ...Object.fromEntries(changes),
    'stored when it was killed': ({ killed }) => formatCount(killed.stored),
    '  read by the next run': ({ killed }) => formatCount(killed.read),
    '  which took': ({ killed }) => formatMs(killed.resumeMs),
  })
}
