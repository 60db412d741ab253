import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { progressLine } from '../src/commands/sync.ts'
import { commitUrl, repositoryUrl } from '../src/runner/repository-links.ts'
import { writeSummary } from '../src/runner/summary.ts'
import { actionWorld } from './world/action-world.ts'

test('a wave in which nothing is due says so, and when the next source is', async () => {
  await using world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ docs: { repo: 'docs', every: '1h' }, wiki: { repo: 'docs', every: '12m' } })
  await world.run({ uses: 'sync' })
  const { log, summary } = await world.run({ uses: 'plan' })
  for (const text of [log, summary]) expect(text).toMatch(/0 of 2 sources are due, the next in (12m|11m \d+s)/)
})

test('a plan shows each source that is due with why, and one that did not answer with what it said', async () => {
  await using world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ docs: { repo: 'docs' }, gone: { repo: 'gone' } })
  await world.run({ uses: 'sync', with: { source: 'docs' } })
  const docs = await world.commit('docs', { 'b.md': '# B' })
  await world.pool.query(`INSERT INTO tidemark.sources (id, repo, ref, bookmark) VALUES ('gone', 'gone', 'main', 'a')`)
  const { summary } = await world.run({ uses: 'plan' })
  expect(summary).toContain(`<td>docs</td><td>${docs.slice(0, 7)}</td><td>behind</td>`)
  expect(summary).toMatch(/<td>gone<\/td><td>–<\/td><td>unreachable: [^<]*gone[^<]*<\/td>/)
  const status = await world.run({ uses: 'status' })
  expect(status.summary).toMatch(/<td>gone<\/td><td>unreachable<\/td>.*gone is not a git repository/)
})

test('a job of several sources has one table, with a row and a commit for each', async () => {
  await using world = await actionWorld()
  const docs = await world.commit('docs', { 'a.md': '# A' })
  const wiki = await world.commit('wiki', { 'a.md': '# B' })
  world.configure({ docs: { repo: 'docs' }, wiki: { repo: 'wiki' } })
  const { summary } = await world.run({ uses: 'sync', with: { sources: 'docs wiki' } })
  expect(summary.match(/<table>/g)).toHaveLength(1)
  expect(summary.match(/<tr><td>/g)).toHaveLength(2)
  for (const commit of [docs, wiki]) expect(summary).toContain(`<td>${commit.slice(0, 7)}</td>`)
})

test('the status shows for how long each source was behind when its last runs ended', async () => {
  await using world = await actionWorld()
  await world.commit('docs', { 'a.md': '# A' })
  world.configure({ docs: { repo: 'docs' } })
  await world.run({ uses: 'sync' })
  await world.pool.query('TRUNCATE tidemark.runs')
  await world.pool.query(`INSERT INTO tidemark.runs (source_id, started_at, finished_at, status, to_commit, host, pid)
    SELECT 'docs', now() - began * interval '1 min', now() - ended * interval '1 min', status, 'c', 'h', 1
    FROM (VALUES (200, 198, 'synced'), (90, 85, 'partial'), (70, 60, 'partial'), (40, 30, 'synced'), (9, 8, 'failed'))
      AS run (began, ended, status) ORDER BY began DESC`)
  const { summary } = await world.run({ uses: 'status' })
  expect(summary).toContain('How long each was known to be behind when its last runs ended, newest first')
  expect(summary).toContain(
    '<td>docs</td><td>1m (failed)</td><td>1h</td><td>30m (partial)</td><td>5m (partial)</td><td>2m</td>',
  )
})

test.each([
  ['https://x-access-token:s3cret@github.com/team/docs.git', 'https://github.com/team/docs', '/commit/abc'],
  ['git@github.com:team/docs.git', 'https://github.com/team/docs', '/commit/abc'],
  ['ssh://git@gitlab.com/group/sub/docs.git', 'https://gitlab.com/group/sub/docs', '/-/commit/abc'],
  ['https://bitbucket.org/team/docs', 'https://bitbucket.org/team/docs', '/commits/abc'],
  ['https://codeberg.org/team/docs/', 'https://codeberg.org/team/docs', '/commit/abc'],
])('a repository and its commits have a link where the host is known, without a secret: %s', (repo, url, path) => {
  expect(repositoryUrl(repo)).toBe(url)
  expect(commitUrl(repo, 'abc')).toBe(`${url}${path}`)
})

test.each([
  'https://git.example.com/team/docs.git',
  'https://github.com.example.com/team/docs.git',
  'https://github.com:8443/team/docs.git',
  'https://github.com/team/docs.wiki.git',
  'https://github.com/team/do"cs.git',
  '/srv/github.com/docs.git',
  'file:///github.com/team/docs',
  '../docs',
])('another repository has none: %s', (repo) => {
  expect(repositoryUrl(repo)).toBeNull()
  expect(commitUrl(repo, 'abc')).toBeNull()
})

test('a GitHub Enterprise Server that runs the job is known', () => {
  vi.stubEnv('GITHUB_SERVER_URL', 'https://ghe.example.com')
  expect(commitUrl('https://t0ken@ghe.example.com/team/docs.git', 'abc')).toBe(
    'https://ghe.example.com/team/docs/commit/abc',
  )
  vi.unstubAllEnvs()
})

test('a table of thousands of sources stays below what GitHub shows, and links are links', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-summary-'))
  const file = join(home, 'summary')
  writeFileSync(file, '')
  vi.stubEnv('GITHUB_STEP_SUMMARY', file)
  const rows = Array.from({ length: 2_000 }, (_, i) => [
    { text: `s<${i}>`, href: `https://github.com/team/s${i}` },
    'x',
  ])
  await writeSummary('Many', { text: '2,000 of them', tables: [{ head: ['source', 'status'], rows }] })
  vi.unstubAllEnvs()
  const written = readFileSync(file, 'utf8')
  rmSync(home, { recursive: true })
  expect(written).toContain('<td><a href="https://github.com/team/s0">s&lt;0&gt;</a></td>')
  expect(written).toContain('<p>and 1500 more</p>')
  expect(written.length).toBeLessThan(1_000_000)
})

test('a log that is followed shows how far the search index is', () => {
  expect(progressLine({ source: 'docs', phase: 'search', done: 400, total: null, elapsedMs: 1 })).toBe(
    'docs: indexing for search, 400 pages',
  )
})
