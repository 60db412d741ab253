import { engines } from '@tidemark/test-engines'
import { describe, expect, test } from 'vitest'
import { testWorld } from '../world/test-world.ts'

const FILES = {
  'README.md': 'r',
  'docs/a.md': 'a',
  'docs/b.draft.md': 'b',
  'docs/deep/c.md': 'c',
  'docsy/d.md': 'd',
}

describe.each(engines)('a source in %s', (engine) => {
  test('mirrors what its subpath and patterns name, and follows when they change', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit(FILES)
    const paths = async () => Object.keys(await world.pages()).sort()
    await world.sync({ subpath: 'docs' })
    expect(await paths()).toEqual(['docs/a.md', 'docs/b.draft.md', 'docs/deep/c.md'])
    const before = await world.ids()
    expect(await world.sync({ subpath: 'docs', exclude: ['*.draft.md', 'deep/'] })).toMatchObject({
      status: 'synced',
      filesDeleted: 2,
    })
    expect(await paths()).toEqual(['docs/a.md'])
    expect(await world.ids()).toEqual({ 'docs/a.md': before['docs/a.md'] })
    expect(await world.sync({ include: ['/docs/**', '!*.draft.md'] })).toMatchObject({
      status: 'synced',
      filesImported: 1,
    })
    expect(await paths()).toEqual(['docs/a.md', 'docs/deep/c.md'])
    expect(await world.sync({ include: ['/docs/**', '!*.draft.md'] })).toMatchObject({ status: 'up_to_date' })
  })

  test('mirrors Markdown and MDX, or the files of other endings that it names, and follows when they change', async () => {
    await using world = await testWorld({ engine })
    await world.repository.commit({
      'a.md': 'a',
      'b.mdx': 'b',
      'C.MARKDOWN': 'c',
      'd.qmd': 'd',
      'e.md.txt': 'e',
      md: 'f',
    })
    const paths = async () => Object.keys(await world.pages()).sort()
    await world.sync()
    expect(await paths()).toEqual(['C.MARKDOWN', 'a.md', 'b.mdx'])
    expect(await world.sync({ extensions: ['md', '.qmd', 'md.txt'] })).toMatchObject({
      filesImported: 2,
      filesDeleted: 2,
    })
    expect(await paths()).toEqual(['a.md', 'd.qmd', 'e.md.txt'])
  })

  test('passes over symlinks and submodules, whatever they are called', async () => {
    await using world = await testWorld({ engine })
    const commit = await world.repository.commit({ 'a.md': 'a' })
    await world.repository.git.raw('update-index', '--add', '--cacheinfo', `160000,${commit},module.md`)
    const blob = (await world.repository.tree())['a.md']!
    await world.repository.git.raw('update-index', '--add', '--cacheinfo', `120000,${blob},link.md`)
    await world.repository.commitStaged()
    await world.sync()
    expect(Object.keys(await world.pages())).toEqual(['a.md'])
  })
})

test.each([
  ['a subpath that leads out', { subpath: '../x' }],
  ['a subpath with a slash at its end', { subpath: 'docs/' }],
  ['an empty pattern', { exclude: [' '] }],
  ['an extension that is a pattern', { extensions: ['*.md'] }],
  ['an empty extension', { extensions: [''] }],
  ['a root of links that leads out', { linkRoot: '../x' }],
])('refuses %s before anything is touched', async (_, options) => {
  await using world = await testWorld({ engine: 'postgres' })
  await expect(world.sync(options)).rejects.toMatchObject({ code: 'BAD_SOURCE' })
})
