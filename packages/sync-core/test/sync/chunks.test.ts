import { engines } from '@tidemark/test-engines'
import { expect, test } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'
import { type TestWorld, testWorld } from '../world/test-world.ts'

const PARAGRAPH = 'Ünï¢öde words, of one to four bytes each: é € 𝄞. '.repeat(40)

/** Texts whose chunks stand where it is not easy to say, in characters or in bytes. */
const FILES: Record<string, string> = {
  'bytes.md': `\n\n\u00a0\ufeff# 𝄞 é\r\n\r\nein Wörtchen\u2028 \r\n\t## ü\r\n\r\n\u3000次\n\n   ### x\n\ny\n`,
  'same.md': '# a\n\nsame\n\n# a\n\nsame\n\n# a\n\nsame\n',
  'long.md': `# Long\n\n${`${PARAGRAPH}\n\n`.repeat(12)}${'𝄞'.repeat(9_000)}\n\n> ${PARAGRAPH.repeat(3)}\n`,
  'front.md': '---\ntitle: ü\n---\n\n\n# é\n\né\n',
  'code.mdx': `# First\n\nwörds\n\n## Second\n\nbefore {props.x} é <Tab>in</Tab>\n\n## Third\n\nwörds\n`,
  'empty.md': ' \n\n',
}

interface Row {
  readonly path: string
  readonly chunk: unknown
  /** Whether its hash is of its content. */
  readonly hashed: boolean
}

const STORED = /* sql */ `
SELECT path, json_build_object('headingPath', heading_path, 'content', chunk.content) AS chunk,
  content_hash = sha256(convert_to(chunk.content, 'UTF8')) AS hashed
FROM tidemark.chunks AS chunk JOIN tidemark.pages AS page ON page.source_id = chunk.source_id AND page.id = chunk.page_id
ORDER BY path, ordinal`

const storedChunks = async ({ db }: TestWorld) => (await db.query<Row>(STORED)).rows

const parsedChunks = (files: Record<string, string>): Row[] =>
  Object.keys(files)
    .sort()
    .flatMap((path) =>
      parsePage(path, Buffer.from(files[path]!)).chunks.map((chunk) => ({ path, chunk, hashed: true })),
    )

test.each(engines)('chunks are stored in %s as they are cut, of new pages and of changed ones', async (engine) => {
  await using world = await testWorld({ engine })
  await world.repository.commit(FILES)
  await world.sync()
  expect(await storedChunks(world)).toEqual(parsedChunks(FILES))

  const longer = Object.fromEntries(Object.entries(FILES).map(([path, text]) => [path, `${text}\n# ß\n\nlast\n`]))
  const changed = { ...longer, 'new.md': FILES['bytes.md']!, 'same.md': '# a\n\nsame\n' }
  await world.repository.commit(changed)
  await world.sync()
  expect(await storedChunks(world)).toEqual(parsedChunks(changed))
})
