import { describe, expect, test } from 'vitest'
import { actionWorld, heldBack } from './world/action-world.ts'

describe('the Action', () => {
  test('plans, syncs, and then has nothing to do', async () => {
    await using world = await actionWorld()
    const docs = await world.commit('docs', { 'a.md': '# A', 'b.md': '# B' })
    world.configure({ docs: { repo: 'docs' } })

    const nothing = await world.run({ with: { command: 'status' } })
    expect(nothing).toMatchObject({ exitCode: 0, outputs: { status: 'behind', behind: '["docs"]' } })
    expect(nothing.summary).toContain('<td>never synced</td>')

    const planned = await world.run({ with: { command: 'plan' } })
    expect(planned).toMatchObject({ exitCode: 0, outputs: { any: 'true' } })
    const [entry] = JSON.parse(planned.outputs.matrix!).include
    expect(entry).toEqual({
      name: 'docs',
      sources: 'docs',
      timeout: '2700s',
      'timeout-minutes': 50,
      group: 'tidemark-sync-docs',
    })

    const synced = await world.run({ uses: 'sync', with: { sources: entry.sources, timeout: entry.timeout } })
    expect(synced).toMatchObject({
      exitCode: 0,
      annotations: [],
      outputs: { status: 'first_sync', partial: 'false', behind: '[]' },
    })
    expect(JSON.parse(synced.outputs.results!)).toMatchObject({
      version: 1,
      results: [{ source: 'docs', status: 'first_sync', filesImported: 2, bookmark: docs }],
    })
    expect(synced.log).toContain('::group::docs: first_sync')
    expect(synced.summary).toContain('<td>docs</td><td>first_sync</td><td>2 added</td><td>0</td>')
    expect(await world.bookmarks()).toEqual({ docs })

    const again = await world.run({ uses: 'plan' })
    expect(again.outputs).toEqual({ any: 'false', matrix: '{"include":[]}', behind: '[]' })
    expect(await world.run({ uses: 'sync' })).toMatchObject({ outputs: { status: 'up_to_date' } })

    await world.commit('docs', { 'a.md': '# Changed' })
    const moved = await world.run({ uses: 'sync' })
    expect(moved.outputs).toMatchObject({ status: 'synced' })
    expect(moved.summary).toContain('<td>1 changed</td>')

    const status = await world.run({ uses: 'status' })
    expect(status).toMatchObject({ exitCode: 0, outputs: { status: 'up_to_date', behind: '[]' } })
    expect(status.summary).toContain('<td>docs</td><td>up to date</td>')
  })

  test('plans what has moved, what has failed to answer, and what is named, with a budget from its history', async () => {
    await using world = await actionWorld()
    await world.commit('docs', { 'a.md': '# A' })
    await world.commit('wiki', { 'a.md': '# A' })
    world.configure({
      docs: { repo: 'docs' },
      wiki: { repo: 'wiki' },
      gone: { repo: 'http://127.0.0.1:9/gone.git' },
    })
    await world.run({ uses: 'sync', with: { sources: 'docs, wiki' } })
    const names = async (inputs: Record<string, string> = {}) => {
      const planned = await world.run({ uses: 'plan', with: inputs })
      const entries = JSON.parse(planned.outputs.matrix!).include
      return { planned, entries, names: entries.map(({ name }: { name: string }) => name) }
    }

    await world.commit('wiki', { 'b.md': '# B' })
    const moved = await names()
    expect(moved.names).toEqual(['gone', 'wiki'])
    expect(moved.planned.annotations).toMatchObject([{ level: 'warning', title: 'tidemark: gone did not answer' }])
    // Runs of a moment get the least that is given.
    expect(moved.entries[1]).toMatchObject({ timeout: '120s', 'timeout-minutes': 7 })
    expect((await names({ source: 'docs' })).names).toEqual(['docs'])

    const behind = await world.run({ uses: 'status' })
    expect(JSON.parse(behind.outputs.behind!)).toEqual(['wiki', 'gone'])
    const longBehind = await world.run({ uses: 'status', with: { sources: 'wiki', 'max-age': '1h' } })
    expect(longBehind.outputs).toMatchObject({ behind: '[]', status: 'up_to_date' })
  })

  test('tells each status with what to do next, and fails the step on what it is to fail on', async () => {
    await using world = await actionWorld()
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`${i}.md`, `# ${i}`]))
    await world.commit('shrinking', many)
    await world.commit('broken', { 'good.md': '# Good', 'bad.md': '---\na: [\n---\n' })
    await world.commit('busy', { 'a.md': '# A' })
    await world.commit('garbled', Object.fromEntries(Object.keys(many).map((name) => [name, '---\na: [\n---\n'])))
    world.configure({
      shrinking: { repo: 'shrinking' },
      broken: { repo: 'broken' },
      busy: { repo: 'busy' },
      missing: { repo: 'missing' },
      garbled: { repo: 'garbled' },
    })
    await world.run({ uses: 'sync', with: { source: 'shrinking' } })
    await world.git('shrinking').rm(Object.keys(many).slice(0, 100))
    await world.commit('shrinking', {})
    await world.pool.query(
      `INSERT INTO tidemark.locks (key, token, holder_id, holder_host, holder_pid, acquired_at, last_refreshed_at, expires_at)
       VALUES ('sync:busy', 1, 'other', 'elsewhere', 7, now(), now(), now() + interval '1 hour')`,
    )

    const ended = await world.run({ uses: 'sync', with: { 'fail-on': 'never' } })
    expect(ended.exitCode).toBe(0)
    expect(ended.outputs).toMatchObject({
      status: 'failed',
      behind: '["shrinking","busy","missing","garbled"]',
    })
    expect(ended.annotations.slice(0, 5)).toEqual([
      {
        level: 'error',
        title: 'tidemark: shrinking: blocked (mass_delete)',
        message: expect.stringContaining('the Action with source: shrinking, allow-mass-delete: true'),
      },
      { level: 'warning', title: 'tidemark: broken: 1 file was set aside', message: expect.any(String) },
      {
        level: 'warning',
        title: 'tidemark: busy: busy',
        message: expect.stringContaining('process 7 on elsewhere'),
      },
      { level: 'error', title: expect.stringContaining('missing: failed'), message: expect.any(String) },
      {
        level: 'error',
        title: 'tidemark: garbled: blocked_by_failures',
        message: expect.stringContaining('the Action with source: garbled, retry-quarantined: true'),
      },
    ])
    expect(ended.summary).toContain('<td>busy</td><td>busy</td>')

    const failOn = async (source: string, on: string) =>
      (await world.run({ uses: 'sync', with: { source, 'fail-on': on } })).exitCode
    expect(await failOn('missing', 'failed')).toBe(1)
    expect(await failOn('shrinking', 'failed')).toBe(0)
    expect(await failOn('shrinking', 'blocked')).toBe(1)

    const breaking = { uses: 'break-stale', with: { 'max-age': '10m' } }
    const kept = JSON.parse((await world.run(breaking)).outputs.results!).results
    expect(kept[2]).toMatchObject({ source: 'busy', verdict: 'refused' })
    await world.pool.query(
      `UPDATE tidemark.locks SET last_refreshed_at = now() - interval '11 min' WHERE key = 'sync:busy'`,
    )
    const broken = JSON.parse((await world.run(breaking)).outputs.results!).results
    expect(broken[2]).toMatchObject({ source: 'busy', verdict: 'broken', holder: { pid: 7 } })
    expect(await world.run({ uses: 'sync', with: { source: 'busy' } })).toMatchObject({
      outputs: { status: 'first_sync' },
    })
  })

  test('stops at the budget as partial, and tells how much is left', async () => {
    await using world = await actionWorld()
    await world.vite('vite.git')
    world.configure({ vite: { repo: 'vite.git', ref: 'main' } })
    await world.run({ uses: 'plan' })
    await using _ = await heldBack(world)
    const ended = await world.run({ uses: 'sync', with: { timeout: '4s' } })
    expect(ended).toMatchObject({
      exitCode: 0,
      outputs: { status: 'partial', partial: 'true', behind: '["vite"]' },
    })
    expect(ended.annotations).toMatchObject([{ level: 'notice', title: 'tidemark: vite: partial (timeout)' }])
    expect(ended.annotations[0]!.message).toContain('59 files are left, about 3 more runs like this one.')
    expect(ended.summary).toContain('<td>partial (timeout)</td><td>25 added</td><td>59</td><td>3</td>')
  })
})
