import { describe, expect, test } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'

const PAGE = `---
title: From the front matter
---
import Card from './card'
export const version = 3

# Title <Badge kind="new">of</Badge> {props.name} it

<Card title="hidden words">
  Some **text** with a [link](./other.mdx).

  - in a list {/* a remark */}
</Card>

<Tabs items={['one', 'two']} />

\`\`\`jsx
import Kept from 'code'
<Kept />
\`\`\`

## Part {#explicit-id}

After <!-- an HTML comment --> it.
`
const parse = (text: string, path = 'docs/page.mdx') => parsePage(path, Buffer.from(text))
const words = (text: string) => parse(text).chunks.flatMap(({ content }) => content.split(/\s+/))

describe('MDX', () => {
  test('is kept whole in the content, and without its code in what is searched and embedded', () => {
    const { content, title } = parse(PAGE)
    expect(title).toBe('From the front matter')
    expect(content).toBe(PAGE.slice(PAGE.indexOf('import')))
    const searched = words(PAGE)
    for (const word of ['Some', '**text**', '-', 'list', 'After', 'it.', 'Kept', "'code'"])
      expect(searched).toContain(word)
    for (const code of ['Card', './card', 'version', 'hidden', 'kind=', 'props', 'remark', 'Tabs', '</Card>'])
      expect(searched.join(' ')).not.toContain(code)
  })
  test('has headings and a title of words alone', () => {
    const { title, chunks } = parse(PAGE.replace(/---[\s\S]*?---\n/, ''))
    expect(title).toBe('Title of  it')
    expect(chunks.map(({ headingPath }) => headingPath)).toEqual([['Title of  it'], ['Title of  it', 'Part']])
  })
  test('has links inside of components', () => {
    expect(parse(PAGE).links).toMatchObject([{ target: './other.mdx', targetPath: 'docs/other.mdx' }])
  })
  test.each([
    ['an open tag', '<div>\n\n# Title\n\ntext'],
    ['a brace', '# Title\n\nif (a) { b'],
    ['an address in angle brackets', '# Title\n\n<https://example.org/{id}>'],
    ['a comparison', '# Title\n\na < b'],
    ['braces without an end', `# Title\n\n${'{ a '.repeat(50_000)}`],
    ['comments without an end', `# Title\n\n${'<!-- '.repeat(50_000)}`],
    ['code that is none', 'export const = 1\n\n# Title'],
  ])('that is not valid, by %s, is a page nevertheless', (_, text) => {
    expect(parse(`import x from 'hidden'\n\n${text}`)).toMatchObject({ title: 'Title' })
    expect(words(`import x from 'hidden'\n\n${text}`).join(' ')).not.toContain('hidden')
  })
  test('in a Markdown file is Markdown', () => {
    const { chunks } = parse('import x from "y"\n\n{text}', 'a.md')
    expect(chunks[0]?.content).toBe('import x from "y"\n\n{text}')
  })
})

describe('an explicit id', () => {
  test.each(['{#the-id}', '{#the-id .class key=val}', '{: #the-id}', '{.class}'])(
    '%s is no part of a heading',
    (id) => {
      const { title, chunks } = parse(`# Title ${id}\n\n## Part ${id}\n\ntext`, 'a.md')
      expect(title).toBe('Title')
      expect(chunks.map(({ headingPath }) => headingPath.at(-1))).toEqual(['Title', 'Part'])
    },
  )
  test.each(['Use {braces}', 'Set {a, b}', 'Issue {#1} and {#2} here'])('is not what else has braces: %s', (title) => {
    expect(parse(`# ${title}`, 'a.md').title).toBe(title)
  })
})
