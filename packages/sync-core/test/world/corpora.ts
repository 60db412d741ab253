import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('../../../../demo', import.meta.url))

/** Bundles of real repositories: the demonstration's, and those in the folder that `TIDEMARK_CORPORA` names. */
export function corpora(): { name: string; bundle: string }[] {
  const folder = process.env.TIDEMARK_CORPORA
  const more =
    folder === undefined
      ? []
      : ['book', 'rfcs', 'tldr'].map((name) => ({ name, bundle: join(folder, `${name}.bundle`) }))
  return [{ name: 'vite', bundle: join(DEMO, 'vite.bundle') }, ...more].filter(({ bundle }) =>
    existsSync(bundle),
  )
}
