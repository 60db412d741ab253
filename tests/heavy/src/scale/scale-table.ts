import { type FigureTable, grouped, milliseconds } from '../ground/figure-table.ts'
import type { SizeFigures } from './measure-size.ts'

export function scaleTable(sizes: readonly SizeFigures[]): FigureTable {
  const row = (what: string, shown: (figures: SizeFigures) => string) => [what, ...sizes.map(shown)]
  return {
    title: 'Scale: the command with four sources, on Postgres',
    columns: sizes.map(({ pages }) => `${grouped(pages)} pages`),
    rows: [
      row('first import', ({ importMs }) => milliseconds(importMs)),
      row('  pages/s', ({ pagesPerSecond }) => grouped(pagesPerSecond)),
      row('index for search', ({ indexMs }) => milliseconds(indexMs)),
      row('  peak MB', ({ peakMb }) => grouped(peakMb)),
      row('nothing new', ({ noopMs }) => milliseconds(noopMs)),
      row('  inside the process', ({ noopInsideMs }) => milliseconds(noopInsideMs)),
      ...sizes[0]!.changesMs.map(({ files }, n) =>
        row(`${files} changes`, ({ changesMs }) => milliseconds(changesMs[n]!.ms)),
      ),
      row('stored when it was killed', ({ killed }) => grouped(killed.stored)),
      row('  read by the next run', ({ killed }) => grouped(killed.read)),
      row('  which took', ({ killed }) => milliseconds(killed.resumeMs)),
    ],
    notes: ['milliseconds are those of the process from start to end; peak MB is of it, without git'],
  }
}
