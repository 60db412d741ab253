import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GeneratedSource, generateSource } from '../harness/generate-source.ts'

/** Pages of about a kilobyte, from the demonstration's text, which is there on every machine. */
const PAGE = { corpus: 'vite', sections: 2 } as const

export const SOURCE_IDS = ['default', 'straylight', 'zion', 'media']

/** Files of the commits that come after the first, all of them to the first source. */
export const CHANGES = [50, 200, 500]

/** Four sources that share so many pages, in a folder with the `tidemark.yaml` that names them. */
export async function generateSources(folder: string, pages: number, seed: number) {
  await mkdir(folder)
  const sources: GeneratedSource[] = []
  for (const [n, id] of SOURCE_IDS.entries()) {
    const shape = { ...PAGE, id, pages: Math.round(pages / SOURCE_IDS.length) }
    sources.push(await generateSource(shape, { changes: n === 0 ? CHANGES : [], seed: seed + n, home: folder }))
  }
  const config = Object.fromEntries(sources.map(({ id, folder: repo }) => [id, { repo }]))
  // JSON is YAML.
  await writeFile(join(folder, 'tidemark.yaml'), JSON.stringify({ sources: config }))
  return sources
}
