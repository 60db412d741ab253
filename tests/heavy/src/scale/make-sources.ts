import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GeneratedSource, generateSource } from '../sources/generate.ts'

/** Pages of about a kilobyte: two sections of the demonstration's text, which is there on every machine. */
const PAGE = { corpus: 'vite', sections: 2 } as const

/** Four sources that share so many pages, in a folder with the `tidemark.yaml` that names them. */
export async function makeSources(
  folder: string,
  pages: number,
  { changes, seed }: { changes: readonly number[]; seed: number },
): Promise<readonly GeneratedSource[]> {
  await mkdir(folder)
  const ids = ['default', 'straylight', 'zion', 'media']
  const sources: GeneratedSource[] = []
  for (const [n, id] of ids.entries()) {
    const shape = { ...PAGE, id, pages: Math.round(pages / ids.length) }
    // What arrives later arrives in the first of them.
    sources.push(await generateSource(shape, { changes: n === 0 ? changes : [], seed: seed + n, home: folder }))
  }
  const config = Object.fromEntries(sources.map(({ id, folder: repo }) => [id, { repo }]))
  // JSON is YAML.
  await writeFile(join(folder, 'tidemark.yaml'), JSON.stringify({ sources: config }))
  return sources
}
