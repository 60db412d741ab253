import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('../../../../demo', import.meta.url))

export interface Corpus {
  readonly name: string
  readonly bundle: string
  /** So many points of its history are walked, however long it is. */
  readonly points: number
  /** At how many of them a test can afford an import from nothing. */
  readonly fresh: number
  /** Within which time a test kills a process that imports it. */
  readonly killMs: number
}

/** Bundles of real repositories: the demonstration's, and those in the folder that `TIDEMARK_CORPORA` names. */
export function corpora(): Corpus[] {
  const folder = process.env.TIDEMARK_CORPORA ?? ''
  // Every point is for the nightly run: both engines take minutes for them.
  const vite = folder === '' ? { points: 12, fresh: 4 } : { points: 24, fresh: 8 }
  const all: Corpus[] = [
    { name: 'vite', bundle: join(DEMO, 'vite.bundle'), ...vite, killMs: 300 },
    { name: 'book', bundle: join(folder, 'book.bundle'), points: 24, fresh: 12, killMs: 500 },
    { name: 'rfcs', bundle: join(folder, 'rfcs.bundle'), points: 24, fresh: 6, killMs: 1_000 },
    { name: 'tldr', bundle: join(folder, 'tldr.bundle'), points: 24, fresh: 3, killMs: 3_000 },
  ]
  return all.filter(({ bundle }) => existsSync(bundle))
}
