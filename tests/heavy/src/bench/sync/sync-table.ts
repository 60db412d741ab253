import { type FigureTable, grouped, milliseconds } from '../../ground/figure-table.ts'
import { CHANGED, type SyncFigures } from './bench-sync.ts'

export function syncTable(figures: readonly SyncFigures[]): FigureTable {
  const row = (what: string, shown: (figures: SyncFigures) => string) => [what, ...figures.map(shown)]
  return {
    title: 'Sync: real repositories, beside the floor',
    columns: figures.map(({ corpus, engine }) => `${corpus}, ${engine}`),
    rows: [
      row('pages', ({ pages }) => grouped(pages)),
      row('first import', ({ firstMs }) => milliseconds(firstMs)),
      row('  pages/s', ({ pages, firstMs }) => grouped(pages / (firstMs / 1000))),
      row('  the floor', ({ floorMs }) => milliseconds(floorMs)),
      row('  × floor', ({ firstMs, floorMs }) => (firstMs / floorMs).toFixed(2)),
      row('nothing new', ({ noopMs }) => milliseconds(noopMs)),
      row(`${CHANGED} changes`, ({ changesMs }) => milliseconds(changesMs)),
      row('full compare', ({ compareMs }) => milliseconds(compareMs)),
      row('full sync', ({ fullMs }) => milliseconds(fullMs)),
      row('index for search', ({ indexMs }) => milliseconds(indexMs)),
      row('search by words, median', ({ searchP50Ms }) => milliseconds(searchP50Ms)),
      row('search by words, p95', ({ searchP95Ms }) => milliseconds(searchP95Ms)),
      row('peak MB', ({ peakMb }) => grouped(peakMb)),
      row('longest hold', ({ longestHoldMs }) => milliseconds(longestHoldMs)),
      row(`past the budget, p99 of ${figures[0]!.stops}`, ({ overshootP99Ms }) => milliseconds(overshootP99Ms)),
      row('read twice a stop', ({ readTwicePerStop }) => readTwicePerStop.toFixed(1)),
    ],
    notes: [
      'the floor: the same blobs, parser and rows in bulk inserts; no lock, plan, budget or resume',
      'imports are timed without the index for search, which a sync fills when they are in',
    ],
  }
}
