import { describe, expect, test } from 'vitest'
import { deleteOrphans } from '../../src/store/delete-orphans.ts'
import { replaceFiles } from '../../src/store/replace-files.ts'
import { scriptedFence } from '../world/scripted-database.ts'

describe('the files that links may name', () => {
  const paths = (count: number) => Array.from({ length: count }, (_, i) => `Docs/${i}.png`)

  /** The statements that replace them: how many files, which paths are covered, and from where to where. */
  async function replace(files: readonly string[], changed: readonly string[] | null = null) {
    const { fenced, sent } = scriptedFence({}, ...Array(5).fill([{}]))
    let steps = 0
    await replaceFiles(fenced, 'docs', { files, changed }, () => steps++)
    expect(steps).toBe(sent.length)
    const statements = sent.map(({ params: [, , source, rows, covered, after, to] }) => {
      expect(source).toBe('docs')
      return { rows: JSON.parse(rows as string) as { path: string; key: string }[], covered, after, to }
    })
    expect(statements.flatMap(({ rows }) => rows.map(({ path }) => path))).toEqual(files)
    return statements
  }
  const ranges = async (count: number) => {
    const statements = await replace(paths(count))
    expect(statements.filter(({ covered }) => covered !== null)).toEqual([])
    return statements.map(({ rows, after, to }) => `${rows.length}: ${after} to ${to}`)
  }

  test('are replaced 5,000 at a time, each time up to the last, and at the end all behind it', async () => {
    expect(await ranges(10_001)).toEqual([
      '5000: null to Docs/4999.png',
      '5000: Docs/4999.png to Docs/9999.png',
      '1: Docs/9999.png to null',
    ])
    expect(await ranges(5_000)).toEqual(['5000: null to Docs/4999.png', '0: Docs/4999.png to null'])
  })

  test('are all gone where a commit has none', async () => {
    expect(await ranges(0)).toEqual(['0: null to null'])
  })

  test('are replaced by one statement where it is known which may have changed', async () => {
    expect(await replace(paths(1), ['Docs/0.png', 'gone.png'])).toEqual([
      {
        rows: [{ path: 'Docs/0.png', key: '0.png/docs' }],
        covered: '["Docs/0.png","gone.png"]',
        ...{ after: null, to: null },
      },
    ])
    expect(await replace([], ['gone.png'])).toHaveLength(1)
    // In two, the second would delete what the first has stored.
    expect(await replace(paths(5_001), paths(5_001))).toHaveLength(1)
  })
})

describe('what was derived of pages that there are no more', () => {
  test('is deleted 5,000 rows at a time, from the first page of each table to where it ends', async () => {
    const answers = [[], [{ last: '70' }], [{ last: '80' }], [{ last: null }]]
    const { fenced, sent } = scriptedFence({}, ...answers, ...Array(20).fill([{ last: null }]))
    let steps = 0
    await deleteOrphans(fenced, 'docs', () => steps++)
    const tables = [...new Set(sent.map(({ text }) => /tidemark\.(\w+)/.exec(text)![1]))]
    expect(tables.toSorted()).toEqual(['aliases', 'chunks', 'links', 'search_chunks', 'search_pages'])
    const visited = sent.filter(({ text }) => !text.startsWith('ANALYZE'))
    expect(visited.slice(0, 4).map(({ params }) => params.slice(2))).toEqual([
      ['docs', '-9223372036854775808', 5_000],
      ['docs', '70', 5_000],
      ['docs', '80', 5_000],
      ['docs', '-9223372036854775808', 5_000],
    ])
    expect(visited).toHaveLength(tables.length + 2)
    expect(steps).toBe(visited.length)
  })
})
