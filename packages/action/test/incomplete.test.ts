import { describe, expect, test } from 'vitest'
import { actionWorld, heldBack } from './world/action-world.ts'

describe('a source whose pages are in and cannot all be found', () => {
  test('because its sync was cancelled while it indexed is behind, is due, and says so until it is whole', async () => {
    await using world = await actionWorld()
    await world.vite('vite.git')
    world.configure({ vite: { repo: 'vite.git', ref: 'main' } })
    await world.run({ uses: 'plan' })
    const held = await heldBack(world, 'search_pages')
    const { child, ended } = world.start({ uses: 'sync' })
    await held.waiting()
    child.kill('SIGINT')
    const cancelled = await ended
    await held[Symbol.asyncDispose]()
    await world.pool.query('DROP TRIGGER hold_back ON tidemark.search_pages')
    expect(cancelled).toMatchObject({ exitCode: 130, outputs: { status: 'first_sync', behind: '["vite"]' } })
    expect(cancelled.annotations).toMatchObject([
      { level: 'warning', title: 'tidemark: vite: the search index is incomplete' },
    ])
    expect(cancelled.summary).toContain('vite: the search index is incomplete')

    const status = await world.run({ uses: 'status' })
    expect(status.outputs).toMatchObject({ status: 'behind', behind: '["vite"]' })
    expect(status.summary).toContain('of 84 pages can be found by search. Run once: the Action with source: vite')
    expect(status.annotations.at(-1)!.title).toBe('tidemark: not all pages of 1 source can be found')
    const longer = await world.run({ uses: 'status', with: { 'max-age': '1h' } })
    expect(longer.outputs).toMatchObject({ status: 'up_to_date', behind: '[]' })

    const planned = await world.run({ uses: 'plan' })
    expect(planned.outputs).toMatchObject({ any: 'true', behind: '["vite"]' })
    expect(planned.summary).toContain('<td>index incomplete</td>')
    expect(await world.run({ uses: 'sync' })).toMatchObject({ outputs: { status: 'up_to_date', behind: '[]' } })
    expect(await world.run({ uses: 'plan' })).toMatchObject({ outputs: { any: 'false', behind: '[]' } })
    expect(await world.run({ uses: 'status' })).toMatchObject({ outputs: { behind: '[]' } })
  })

  test('because texts have no embedding is behind and due where jobs embed, and nowhere else', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A\n\nText.' })
    world.configure({ docs: { repo: 'docs' } }, { url: 'http://127.0.0.1:9/v1', model: 'm' })
    await world.run({ uses: 'sync' })

    const embeds = { embed: 'true' }
    const planned = await world.run({ uses: 'plan', with: embeds })
    expect(planned.outputs).toMatchObject({ any: 'true', behind: '["docs"]' })
    expect(planned.summary).toContain('<td>embeddings incomplete</td>')
    const status = await world.run({ uses: 'status', with: embeds })
    expect(status.outputs).toMatchObject({ behind: '["docs"]' })
    expect(status.summary).toContain('the Action with source: docs, embed: true')

    expect(await world.run({ uses: 'plan' })).toMatchObject({ outputs: { any: 'false', behind: '[]' } })
    expect(await world.run({ uses: 'status' })).toMatchObject({ outputs: { behind: '[]' } })
  })

  test('a source whose configuration has changed is due before its time', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A', 'old/b.md': '# B' })
    world.configure({ docs: { repo: 'docs' } })
    await world.run({ uses: 'sync' })
    world.configure({ docs: { repo: 'docs', exclude: ['old/**'] } })
    const planned = await world.run({ uses: 'plan' })
    expect(planned.summary).toContain('<td>settings changed</td>')
    await world.run({ uses: 'sync' })
    expect(await world.run({ uses: 'plan' })).toMatchObject({ outputs: { any: 'false' } })
  })
})
