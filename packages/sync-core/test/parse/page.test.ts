import { describe, expect, test } from 'vitest'
import { parsePage } from '../../src/parse/page.ts'

const parse = (text: string | Buffer, path = 'guide/api.md') => parsePage(path, Buffer.from(text))

describe('a title', () => {
  test('is the one of the front matter', () => {
    expect(parse('---\ntitle: Front\n---\n# Heading').title).toBe('Front')
  })
  test('else the words of the first heading of the first level', () => {
    expect(parse('## Sub\n\n# The *real* `one`\n\n# Other').title).toBe('The real one')
  })
  test('else the name of the file', () => {
    expect(parse('no heading').title).toBe('api')
  })
})

describe('front matter', () => {
  test('is read as data and left out of the text', () => {
    const page = parse('---\ntags: [a, 1]\nwhen: 2026-01-02\n---\ntext')
    expect(JSON.parse(page.frontmatter)).toEqual({ tags: ['a', 1], when: '2026-01-02' })
    expect(page.content).toBe('text')
  })
  test('may follow a byte order mark and end its lines as Windows does', () => {
    const page = parse('\uFEFF---\r\ntitle: T\r\n---\r\n# H\r\n')
    expect(page).toMatchObject({ title: 'T', content: '# H\r\n' })
    expect(page.chunks).toEqual([{ headingPath: ['H'], content: '# H' }])
  })
  test('that is empty is none', () => {
    expect(parse('---\n---\ntext')).toMatchObject({ frontmatter: '{}', content: 'text' })
  })
  test.each([
    ['an id of 17 digits', 'a: 72157688988508171', '{"a":72157688988508171}'],
    ['a version', 'a: 1.10', '{"a":1.10}'],
    ['a hash that looks like a number', 'a: 12e5678', '{"a":"12e5678"}'],
    ['infinity', 'a: [.inf, -.inf, .nan]', '{"a":[".inf","-.inf",".nan"]}'],
    ['numbers in other bases', 'a: [0x1F, 0o17, +1, .5]', '{"a":[31,15,1,0.5]}'],
    ['a number as a name', '72157688988508171: a', '{"72157688988508171":"a"}'],
    ['a set', 'a: !!set {x, y}', '{"a":["x","y"]}'],
    ['a date', 'a: 2026-01-02', '{"a":"2026-01-02"}'],
    ['merge keys', 'b: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3', '{"b":{"x":1,"y":2},"a":{"x":1,"y":3}}'],
  ])('keeps %s as it is written', (_, yaml, json) => {
    expect(parse(`---\n${yaml}\n---\ntext`)).toMatchObject({ frontmatter: json, content: 'text' })
  })
  test.each([
    ['2024', '2024'],
    ['1.10', '1.10'],
    ['true', 'true'],
    ['"  quoted "', 'quoted'],
  ])('with the title %s names the page %s', (title, text) => {
    expect(parse(`---\ntitle: ${title}\n---\n# Heading`).title).toBe(text)
  })
  test.each(['title: [a]', 'title: {a: b}', 'title:', 'title: ""'])('with %s leaves it to the heading', (yaml) => {
    expect(parse(`---\n${yaml}\n---\n# Heading`).title).toBe('Heading')
  })
  test('may be TOML', () => {
    const toml = 'title = "T"\nid = 72157688988508171\nday = 2026-01-02\nat = 2026-01-02T03:04:05Z\n[params]\nx = 1.5'
    const page = parse(`+++\n${toml}\n+++\n# H`)
    expect(page).toMatchObject({ title: 'T', content: '# H' })
    const json =
      '{"title":"T","id":72157688988508171,"day":"2026-01-02","at":"2026-01-02T03:04:05.000Z","params":{"x":1.5}}'
    expect(page.frontmatter).toBe(json)
    expect(() => parse('+++\na = [\n+++\n')).toThrow(expect.objectContaining({ code: 'bad_front_matter' }))
  })
  test('may be an object of JSON', () => {
    const page = parse('{\n  "title": "T",\n  "id": 72157688988508171,\n  "a": {"b": "}"}\n}\n\n# H {x}\n')
    expect(page).toMatchObject({ title: 'T', content: '\n# H {x}\n' })
    expect(page.frontmatter).toBe('{"title":"T","id":72157688988508171,"a":{"b":"}"}}')
  })
  test.each([
    ['a horizontal rule and text', '---\n\nHello *you*\n\n---\n\nmore'],
    ['a horizontal rule and a list', '---\n- a\n- b\n---\nmore'],
    ['a horizontal rule and what YAML cannot read', '---\n@home [is\n---\nmore'],
    ['a horizontal rule alone', '---\ntext'],
    ['plus signs', '+++\ntext\n+++\nmore'],
    ['a shortcode', '{{< note >}}\ntext\n{{< /note >}}'],
    ['a template', '{% if x %}\n{% endif %}'],
  ])('is not there in a page that begins with %s', (_, text) => {
    expect(parse(text)).toMatchObject({ frontmatter: '{}', content: text })
  })
  test.each([
    ['not YAML', 'a: [1'],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}`,
    ],
    ['a NUL in quotes', 'a: "x\\0"'],
    ['half of a character in quotes', 'a: "\\uD800"'],
    ['longer than anyone writes', `a: ${'x'.repeat(70_000)}`],
    ['nested without end', `a: ${'['.repeat(20_000)}`],
  ])('that is %s is refused with a reason', (_, yaml) => {
    expect(() => parse(`---\n${yaml}\n---\n`)).toThrow(expect.objectContaining({ code: 'bad_front_matter' }))
  })
})

describe('chunks', () => {
  test('are cut at headings and know the headings above them', () => {
    expect(parse('intro\n\n# A\n\na\n\n## B\n\nb\n\n# C\n').chunks).toEqual([
      { headingPath: [], content: 'intro' },
      { headingPath: ['A'], content: '# A\n\na' },
      { headingPath: ['A', 'B'], content: '## B\n\nb' },
      { headingPath: ['C'], content: '# C' },
    ])
  })
  test('stand under what a person reads of a heading: the whole of one without end is in the text alone', () => {
    const endless = 'warning '.repeat(12_000)
    const { title, chunks } = parse(`# ${endless}\n\ntext\n\n## ${'x'.repeat(199)}😀😀\n\nmore`)
    expect(title).toBe(`${'warning '.repeat(25).trim()}…`)
    expect(chunks[0]!.headingPath).toEqual([title])
    expect(chunks.at(-1)!.headingPath).toEqual([title, `${'x'.repeat(199)}…`])
    const text = chunks.map(({ content }) => content).join(' ')
    expect(text.match(/warning/g)).toHaveLength(12_000)
  })

  test('do not take a comment in code for a heading', () => {
    expect(parse('# A\n\n```sh\n# not a heading\n```\n').chunks).toHaveLength(1)
  })
  test('of a long section are cut between blocks', () => {
    const block = 'word '.repeat(500).trim()
    const { chunks } = parse(`# A\n\n${block}\n\n${block}\n\n${block}`)
    expect(chunks.map(({ content }) => content.length)).toEqual([block.length + 5, block.length, block.length])
  })
  test('of one endless line lose no word and break no character', () => {
    const line = 'ab🎉'.repeat(5_000)
    const { chunks } = parse(line)
    expect(chunks.map(({ content }) => content).join('')).toBe(line)
    expect(chunks.every(({ content }) => content.isWellFormed() && content.length <= 4_000)).toBe(true)
  })
})

describe('links', () => {
  const targets = (text: string) => parse(text).links.map(({ kind, targetPath }) => [kind, targetPath])
  test('are resolved to paths, relative to the page or to the root', () => {
    expect(targets('[a](b.md#x) [a](../c.md?q) [a](/d/e.md) [a](./f%20g.md) [a](日本.md)')).toEqual([
      ['link', 'guide/b.md'],
      ['link', 'c.md'],
      ['link', 'd/e.md'],
      ['link', 'guide/f g.md'],
      ['link', 'guide/日本.md'],
    ])
  })
  test('to other places have no path', () => {
    expect(targets('<https://x.org> [m](mailto:a@b.c) [a](#here) [a](//host/x) [a](../../out.md) [a](%00)')).toEqual(
      Array(6).fill(['link', undefined]),
    )
  })
  test('by a name that is defined elsewhere count with its address', () => {
    const place = { target: 't.md', targetPath: 'guide/t.md', targetKey: 't/guide' }
    expect(parse('[text][n] ![pic][n] [gone][x]\n\n[n]: t.md').links).toMatchObject([
      { kind: 'link', text: 'text', ...place },
      { kind: 'image', text: 'pic', ...place },
    ])
  })
  test.each([
    ['[[Some Page|the *label*]]', 'Some Page', 'the label'],
    ['[[Some Page]]', 'Some Page', undefined],
    ['| a |\n|---|\n| [[Some Page\\|label]] |', 'Some Page', 'label'],
    ['| a |\n|---|\n| ![[pic.png\\|100]] |', 'pic.png', '100'],
    ['[label]([[Page]])', 'Page', 'label'],
  ])('of a wiki name a page, with a text for it or without: %j', (markdown, target, text) => {
    expect(parse(markdown).links).toMatchObject([{ kind: 'wiki', target, text }])
  })
  test.each([
    ['[a](b.md#the-end)', 'the-end'],
    ['[a](b.md?q#%E2%9C%93)', '✓'],
    ['[[B#The end|x]]', 'The end'],
    ['[[B#^block]]', '^block'],
    ['[a](#here)', 'here'],
    ['[a](b.md)', undefined],
    ['[a](https://example.org/#x)', undefined],
  ])('keep the section that they lead to: %j', (markdown, targetAnchor) => {
    expect(parse(markdown).links.map((link) => link.targetAnchor)).toEqual([targetAnchor])
  })
})

describe('a file', () => {
  test('that is not UTF-8 or holds a NUL is refused with a reason', () => {
    expect(() => parse(Buffer.from([0xff]))).toThrow(expect.objectContaining({ code: 'bad_utf8' }))
    expect(() => parse('a\0')).toThrow(
      expect.objectContaining({ code: 'nul', message: expect.stringContaining('byte 1') }),
    )
  })
  test('that is empty is a page without chunks', () => {
    expect(parse('')).toMatchObject({ title: 'api', content: '', chunks: [], links: [] })
  })
  test.each([
    ['quotes', '> '.repeat(10_000)],
    ['brackets', '['.repeat(10_000)],
    ['emphasis', `# ${'*a **b '.repeat(10_000)}`],
  ])('of 10,000 nested %s is parsed', (_, text) => {
    expect(parse(`${text}x`).content).toBe(`${text}x`)
  })
})
