import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const git = promisify(execFile)
const DEMO = fileURLToPath(new URL('../../../../demo/vite.bundle', import.meta.url))

/** The corpora that a source's text is taken from, where `TIDEMARK_CORPORA` names a folder of bundles. */
export type Corpus = 'vite' | 'book' | 'rfcs' | 'tldr'

/** The bundle of a corpus; the demonstration's where it is not there. */
export function bundleOf(corpus: Corpus): string {
  const wanted = join(process.env.TIDEMARK_CORPORA ?? '', `${corpus}.bundle`)
  return existsSync(wanted) ? wanted : DEMO
}

/**
 * Paragraphs of the Markdown files of a real repository, each of them whole: a fenced block is one. Where the bundle is
 * not there, those of the demonstration's.
 */
export async function paragraphsOf(corpus: Corpus): Promise<readonly string[]> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-words-'))
  try {
    await git('git', ['clone', '--quiet', '--bare', bundleOf(corpus), home])
    // Enough to be as varied as the corpus is, whatever its size.
    const { stdout: list } = await git('git', ['-C', home, 'ls-tree', '-r', '--name-only', '-z', 'HEAD'], {
      maxBuffer: 1 << 26,
    })
    const paths = list.split('\0').filter((path) => path.endsWith('.md'))
    const step = Math.max(1, Math.floor(paths.length / 300))
    const chosen = paths.filter((_, i) => i % step === 0)
    const { stdout } = await git('git', ['-C', home, 'show', ...chosen.map((path) => `HEAD:${path}`)], {
      maxBuffer: 1 << 28,
    })
    return stdout
      .split(/\n(?=#{1,4} )/)
      .map((section) => section.trim())
      .filter((section) => section.length > 40 && section.length < 4_000)
  } finally {
    await rm(home, { recursive: true })
  }
}
