import { type FigureTable, grouped, milliseconds } from '../../ground/figure-table.ts'
import { CHANGED, type LangchainFigures, type Timings } from './bench-langchain.ts'

export function langchainTable(figures: readonly LangchainFigures[]): FigureTable {
  const row = (what: string, shown: (timings: Timings, pages: number) => string) => [
    what,
    ...figures.flatMap(({ pages, ours, theirs }) => [shown(ours, pages), shown(theirs, pages)]),
  ]
  const rate = (ms: number, pages: number) => grouped(pages / (ms / 1000))
  return {
    title: "Sync beside LangChain's index(), on Postgres",
    columns: figures.flatMap(({ pages }) => [`ours, ${grouped(pages)} pages`, `LangChain, ${grouped(pages)}`]),
    rows: [
      row('first import', ({ firstMs }) => milliseconds(firstMs)),
      row('  pages/s', ({ firstMs }, pages) => rate(firstMs, pages)),
      row('nothing new', ({ noopMs }) => milliseconds(noopMs)),
      row(`${CHANGED} changes`, ({ changesMs }) => milliseconds(changesMs)),
      row('peak MB', ({ peakMb }) => grouped(peakMb)),
    ],
    notes: [
      'ours reads git, parses, stores pages, chunks and links; a run that is stopped goes on later, two exclude each',
      '  other; makes no embeddings',
      'LangChain has the documents in memory before the clock starts; hashes them, stores a record of each and no page,',
      '  its vector store keeps nothing; no git, chunks, links, budget or lock; knows what it recorded, not what is stored',
    ],
  }
}
