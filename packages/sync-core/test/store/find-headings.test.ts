import { describe, expect, test } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'
import { findHeadings } from '../../src/store/find-headings.ts'

const anchors = (text: string) => findHeadings(parsePage('a.md', Buffer.from(text)).chunks).map(({ anchor }) => anchor)
const long = (line: string) => `${line}\n`.repeat(9_000 / line.length)

describe('the headings of a page', () => {
  test.each([
    ['have the anchors that GitHub gives them', '# One\n\n## Two & three\n\n# `code()`', ['one', 'two--three', 'code']],
    ['that repeat are told apart below different ones', '# A\n\n## Ex\n\n# B\n\n## Ex', ['a', 'ex', 'b', 'ex-1']],
    ['that repeat beside each other are told apart', '# A\n\n## Ex\n\n1\n\n## Ex\n\n2', ['a', 'ex', 'ex-1']],
    ['that repeat with mark-up are told apart', '## [A](x.md) b ##\n\n## [A](x.md) b ##', ['a-b', 'a-b-1']],
    ['that are underlined and repeat are told apart', 'Ex\n--\n\n1\n\nEx\n--\n\n2', ['ex', 'ex-1']],
    ['are one where a section is longer than a chunk', `# A\n\n${long('some words')}\n\n# B`, ['a', 'b']],
    ['are not the comments of a long script', `# A\n\n\`\`\`sh\n${long('# comment')}\`\`\`\n\n# B`, ['a', 'b']],
    ['are none of a page without', 'words', []],
  ])('%s', (_, text, expected) => {
    expect(anchors(text)).toEqual(expected)
  })
})
