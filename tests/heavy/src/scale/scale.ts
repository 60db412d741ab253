import { printed } from '../ground/figure-table.ts'
import type { Check, Part, Stage } from '../ground/part.ts'
import { measureSize, type SizeFigures } from './measure-size.ts'
import { scaleTable } from './scale-table.ts'

export interface ScaleSettings {
  /** Pages of four sources together, from few to many. */
  readonly sizes: readonly number[]
}

export interface ScaleFigures {
  readonly sizes: readonly SizeFigures[]
}

/** The `tidemark` command on Postgres with few pages and with many, so that what grows is seen. */
export async function scale({ sizes }: ScaleSettings, stage: Stage): Promise<Part<ScaleFigures>> {
  const figures: SizeFigures[] = []
  for (const size of sizes) figures.push(await measureSize(size, stage))
  stage.tell(`\n${printed(scaleTable(figures))}`)
  return { figures: { sizes: figures }, checks: checksOf(figures) }
}

function checksOf(sizes: readonly SizeFigures[]): Check[] {
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!]
  const peak = sizes.reduce((a, b) => (a.peakMb > b.peakMb ? a : b))
  const againOf = ({ killed: { read, stored, pages } }: SizeFigures) => read - (pages - stored)
  return [
    {
      promise: 'peak memory stays at 200 MB or less',
      kept: peak.peakMb <= 200,
      seen: `${Math.round(peak.peakMb)} MB at ${peak.pages} pages`,
    },
    {
      promise: 'nothing new costs the same at every size',
      kept: largest.noopMs <= 1.5 * smallest.noopMs + 50,
      seen: `${Math.round(smallest.noopMs)} ms at ${smallest.pages} pages, ${Math.round(largest.noopMs)} ms at ${largest.pages}`,
    },
    {
      promise: 'what a killed import had stored is not read again',
      kept: sizes.every((size) => size.killed.stored < size.killed.pages && againOf(size) === 0),
      seen: sizes.map((size) => `${againOf(size)} of ${size.killed.stored} stored, at ${size.pages} pages`).join('; '),
    },
  ]
}
