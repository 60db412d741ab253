import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engine, engines } from '@tidemark/test-engines'
import { isolatedGit } from '@tidemark/test-engines/git'
import { type GitServer, serveGit } from '@tidemark/test-engines/git-server'
import { commandLines, descendants } from '@tidemark/test-engines/processes'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { syncSource } from '../../src/index.ts'
import type { TestWorld } from '../world/test-world.ts'
import { testWorld } from '../world/test-world.ts'

// A small disk needs the right to mount one.
const mayMount = process.platform === 'linux' && process.getuid?.() === 0
if (!mayMount) console.warn('!!! SKIPPED: the test of a full disk. Run it as root, on Linux.')

let world: TestWorld
let server: GitServer
let clones: string

const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}.md`, `page ${i}`]))

async function begin(engine: Engine) {
  world = await testWorld({ engine })
  server = await serveGit(world.repository.folder)
  clones = mkdtempSync(join(tmpdir(), 'tidemark-clones-'))
  await world.repository.git.addConfig('uploadpack.allowFilter', 'true')
  await world.repository.git.addConfig('http.receivepack', 'false')
}

async function end() {
  await server.close()
  await world[Symbol.asyncDispose]()
  rmSync(clones, { recursive: true, force: true })
}

const sync = (options: Parameters<typeof syncSource>[2] & { ref?: string; repo?: string } = {}) => {
  const { ref = 'main', repo = `${server.url}/.git`, ...rest } = options
  return syncSource(world.db, { id: 'docs', repo, ref }, { clones, ...rest })
}
/** Puts a script in the place of ssh, until the function that it returns is called. */
function sshThat(script: string): () => void {
  const wrapper = join(clones, 'ssh')
  writeFileSync(wrapper, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  process.env.GIT_SSH_COMMAND = wrapper
  return () => delete process.env.GIT_SSH_COMMAND
}

/** Runs what ssh would on the server, and after half a megabyte of its answer goes away or says no more. */
const CUT_SSH = `
  const [command, fault] = process.argv.slice(1)
  const server = require("node:child_process").spawn("sh", ["-c", command], { stdio: ["inherit", "pipe", "inherit"] })
  let bytes = 0
  server.stdout.on("data", (part) => {
    bytes += part.length
    if (bytes < 500_000) process.stdout.write(part)
    else if (fault === "silent") server.stdout.pause()
    else process.exit(1)
  })
  server.on("close", () => process.exit(0))`

const unfinishedPacks = (folder: string) =>
  (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name.startsWith('tmp_'))

/** What a child that the clone's owner starts would find there. */
const inClone = (...args: string[]) => isolatedGit(join(clones, 'docs.git')).raw(args)

describe.each(engines)('into %s, a source on a server', (engine) => {
  beforeEach(() => begin(engine))
  afterEach(end)

  test('is mirrored from a clone one commit deep', async () => {
    await world.repository.commit(files(3))
    const commit = await world.repository.commit(files(5))
    expect(await sync()).toMatchObject({ status: 'first_sync', bookmark: commit, filesImported: 5 })
    expect(await world.pages()).toEqual(await world.repository.tree())
    expect(await inClone('rev-list', '--count', 'refs/tidemark/target')).toBe('1')
    const { rows } = await world.db.query('SELECT repo FROM tidemark.sources')
    expect(rows).toEqual([{ repo: `${server.url}/.git` }])
  })

  test('costs a fresh machine the changed files only', async () => {
    await world.repository.commit(files(200))
    await sync()
    rmSync(join(clones, 'docs.git'), { recursive: true })
    await world.repository.commit({ ...files(200), 'p7.md': 'changed', 'new.md': 'new' })
    expect(await sync()).toMatchObject({ status: 'synced', filesUpdated: 1, filesImported: 1, blobsRead: 2 })
    expect(await world.pages()).toEqual(await world.repository.tree())
    const here = (await inClone('cat-file', '--batch-all-objects', '--batch-check=%(objecttype)')).split('\n')
    expect(here.filter((type) => type === 'blob')).toHaveLength(2)
  })

  test('is looked at by a dry run in a clone of its own, which no running sync shares', async () => {
    await world.repository.commit(files(3))
    expect(await sync({ dryRun: true })).toMatchObject({ status: 'dry_run', filesImported: 3, blobsRead: 0 })
    expect(existsSync(join(clones, 'docs.git'))).toBe(false)
    expect(await world.pages()).toEqual({})
  })

  test('with nothing new costs no clone and no fetch, also on a fresh machine', async () => {
    await world.repository.commit(files(3))
    await sync()
    rmSync(join(clones, 'docs.git'), { recursive: true })
    expect(await sync()).toMatchObject({ status: 'up_to_date' })
    expect(existsSync(join(clones, 'docs.git'))).toBe(false)
  })

  test('is mirrored where the server refuses partial clones', async () => {
    await world.repository.git.addConfig('uploadpack.allowFilter', 'false')
    await world.repository.commit(files(20))
    await sync()
    rmSync(join(clones, 'docs.git'), { recursive: true })
    await world.repository.commit({ ...files(20), 'p7.md': 'changed' })
    expect(await sync()).toMatchObject({ status: 'synced', filesUpdated: 1 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('follows a branch that was force-pushed, so that its bookmark is gone', async () => {
    await world.repository.commit(files(10))
    await sync()
    await world.repository.git.checkout(['--orphan', 'other'])
    const rewritten = await world.repository.commit({ ...files(9), 'p3.md': 'rewritten' })
    await world.repository.git.branch(['-f', 'main', 'other'])
    expect(await sync()).toMatchObject({
      status: 'synced',
      bookmark: rewritten,
      filesUpdated: 1,
      filesDeleted: 1,
    })
    expect(await world.pages()).toEqual(await world.repository.tree('main'))
  })

  test('may be a tag, an annotated tag, a commit or HEAD', async () => {
    const first = await world.repository.commit(files(2))
    await world.repository.git.addTag('plain')
    await world.repository.git.addAnnotatedTag('annotated', 'm')
    const second = await world.repository.commit(files(3))
    expect(await sync({ ref: 'plain' })).toMatchObject({ bookmark: first })
    expect(await sync({ ref: 'HEAD' })).toMatchObject({ bookmark: second })
    expect(await sync({ ref: 'annotated' })).toMatchObject({ bookmark: first })
    expect(await sync({ ref: second })).toMatchObject({ status: 'synced', bookmark: second })
    expect(await sync({ ref: second })).toMatchObject({ status: 'up_to_date' })
  })

  test('goes on after a fetch that was killed left its locks and a broken clone', async () => {
    await world.repository.commit(files(3))
    await sync()
    await world.repository.commit(files(4))
    writeFileSync(join(clones, 'docs.git', 'shallow.lock'), '')
    expect(await sync()).toMatchObject({ status: 'synced', filesImported: 1 })
    await world.repository.commit(files(5))
    for (const name of readdirSync(join(clones, 'docs.git', 'objects', 'pack'))) {
      writeFileSync(join(clones, 'docs.git', 'objects', 'pack', name), 'broken', { flag: 'r+' })
    }
    rmSync(join(clones, 'docs.git', 'HEAD'))
    expect(await sync()).toMatchObject({ status: 'synced', filesImported: 1 })
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('leaves nothing of a fetch that was killed with its run once the next run fetches', async () => {
    await world.repository.commit(files(3))
    await sync()
    const packs = join(clones, 'docs.git', 'objects', 'pack')
    const left = [
      'tmp_pack_a1B2c3',
      'tmp_idx_a1B2c3',
      'tmp_rev_a1B2c3',
      '.tmp-9-pack-0f.pack',
      'pack-0f.pack',
      'pack-0f.rev',
    ]
    for (const name of left) writeFileSync(join(packs, name), 'half')
    await world.repository.commit(files(4))
    expect(await sync()).toMatchObject({ status: 'synced', filesImported: 1 })
    const names = readdirSync(packs)
    expect(names.filter((name) => left.includes(name))).toEqual([])
    expect(names.filter((name) => name.endsWith('.idx')).length).toBeGreaterThan(1)
  })

  test.each([
    ['dropped', 'all of it at once', 'false'],
    ['dropped', 'its files', 'true'],
    ['silent', 'all of it at once', 'false'],
    ['silent', 'its files', 'true'],
  ] as const)('leaves nothing of a fetch that is %s while it receives %s', async (fault, _, allowFilter) => {
    await world.repository.git.addConfig('uploadpack.allowFilter', allowFilter)
    await world.repository.git.addConfig('uploadpack.allowAnySHA1InWant', 'true')
    const noise = () => randomBytes(300_000).toString('base64')
    await world.repository.commit({ 'a.md': noise(), 'b.md': noise(), 'c.md': noise() })
    const packs = join(clones, 'docs.git', 'objects', 'pack')
    const repo = `somehost:${world.repository.folder}`
    const stop = sshThat(`for last; do :; done\nexec ${process.execPath} -e '${CUT_SSH}' "$last" ${fault}`)
    const syncing = sync({ repo, ...(fault === 'silent' && { stallMs: 2_000 }) })
    // So that there is something to be left.
    if (fault === 'silent') await vi.waitFor(() => expect(unfinishedPacks(packs)).toHaveLength(1), 10_000)
    const ending = {
      dropped: { status: 'failed', reason: 'fetch_failed' },
      silent: { status: 'partial', reason: 'stalled' },
    }
    expect(await syncing).toMatchObject(ending[fault])
    stop()
    expect(unfinishedPacks(packs)).toEqual([])
    expect(await sync({ repo: `file://${world.repository.folder}` })).toMatchObject({
      status: 'first_sync',
      filesImported: 3,
    })
  })

  test.each(['fail', 'drop'] as const)(
    'whose server does %s is failed, says why, and stays as it was',
    async (mood) => {
      const before = await world.repository.commit(files(3))
      await sync()
      await world.repository.commit(files(4))
      server.mood = mood
      const failed = await sync()
      expect(failed).toMatchObject({
        status: 'failed',
        reason: 'fetch_failed',
        bookmark: before,
        error: { code: 'FETCH_FAILED' },
      })
      server.mood = 'serve'
      expect(await sync()).toMatchObject({ status: 'synced', filesImported: 1 })
    },
  )

  test('whose server is slow is mirrored all the same', async () => {
    await world.repository.commit(files(100))
    server.mood = 'slow'
    expect(await sync()).toMatchObject({ status: 'first_sync', filesImported: 100 })
  })

  test('whose import is stopped again and again goes on from there, on a fresh machine each time', async () => {
    await world.repository.commit(files(1_500))
    const imported: number[] = []
    for (;;) {
      const stop = new AbortController()
      const onProgress = ({ done }: { done: number }) => done >= 300 && stop.abort()
      const result = await sync({ signal: stop.signal, onProgress })
      imported.push(result.filesImported)
      if (result.status !== 'partial') break
      expect(result.filesImported).toBeGreaterThanOrEqual(300)
      rmSync(join(clones, 'docs.git'), { recursive: true })
    }
    expect(imported.length).toBeGreaterThan(1)
    expect(imported.reduce((sum, each) => sum + each)).toBe(1_500)
    expect(await world.pages()).toEqual(await world.repository.tree())
  })

  test('whose server hangs in the middle of an import ends as pull_timeout when the budget is spent', async () => {
    await world.repository.commit(files(3))
    const onProgress = ({ phase }: { phase: string }) => {
      server.mood = phase === 'apply' ? 'hang' : 'serve'
    }
    // On a slow machine a small budget is spent before the import begins.
    let [reason, budgetMs] = ['timeout', 1_000]
    for (; reason === 'timeout'; budgetMs *= 2) {
      const result = await sync({ budgetMs, onProgress })
      expect(result).toMatchObject({ status: 'partial', bookmark: null })
      if (result.status === 'partial') reason = result.reason
    }
    expect(reason).toBe('pull_timeout')
    expect(descendants().filter((line) => line.startsWith('git '))).toEqual([])
  })

  test('that was fetched so often that its clone is full of packs gets a new clone', async () => {
    await world.repository.commit(files(3))
    await sync()
    const packs = join(clones, 'docs.git', 'objects', 'pack')
    for (let i = 0; i < 80; i++) {
      for (const ending of ['pack', 'idx']) writeFileSync(join(packs, `pack-${i}.${ending}`), '')
    }
    await world.repository.commit(files(4))
    expect(await sync()).toMatchObject({ status: 'synced', filesImported: 1 })
    expect(readdirSync(packs).length).toBeLessThan(20)
  })

  test('whose branch was deleted, or that is empty, fails and says so; what is stored stays', async () => {
    expect(await sync({ ref: 'HEAD' })).toMatchObject({
      status: 'failed',
      error: { code: 'REF_NOT_FOUND', hint: 'It has no commits yet.' },
    })
    const bookmark = await world.repository.commit(files(3))
    await world.repository.git.branch(['feature/one'])
    await sync({ ref: 'feature/one' })
    await world.repository.git.deleteLocalBranch('feature/one', true)
    await world.repository.git.addTag('feature-1')
    expect(await sync({ ref: 'feature/one' })).toMatchObject({
      status: 'failed',
      bookmark,
      error: { code: 'REF_NOT_FOUND', message: expect.stringMatching(/default branch is called main$/) },
    })
    expect(Object.keys(await world.pages())).toHaveLength(3)
  })

  test('whose server hangs ends as pull_timeout when the budget is spent', async () => {
    const before = await world.repository.commit(files(3))
    await sync()
    await world.repository.commit(files(4))
    server.mood = 'hang'
    const result = await sync({ budgetMs: 300 })
    expect(result).toMatchObject({ status: 'partial', reason: 'pull_timeout', filesRemaining: null })
    server.mood = 'serve'
    expect(await sync()).toMatchObject({ status: 'synced', bookmark: expect.not.stringContaining(before) })
  })

  test('whose server hangs while its head is looked up for a run ends that as pull_timeout too', async () => {
    await world.repository.commit(files(3))
    const head = new Promise<never>(() => {})
    expect(await sync({ budgetMs: 300, head })).toMatchObject({ status: 'partial', reason: 'pull_timeout' })
  })

  test('whose server hangs ends as stalled when nothing has moved for too long', async () => {
    await world.repository.commit(files(3))
    server.mood = 'hang'
    expect(await sync({ stallMs: 300 })).toMatchObject({ status: 'partial', reason: 'stalled' })
  })

  test.each([
    ['the password', 'me:w0rd-of-a-server%20word', 'me', 'w0rd-of-a-server word'],
    ['the token', 'w0rd-of-a-server-token', 'w0rd-of-a-server-token', ''],
    ['the token and no password', 'w0rd-of-a-server-token:', 'w0rd-of-a-server-token', ''],
  ])('is read with %s of its address, which appears nowhere', async (_, userinfo, username, password) => {
    await world.repository.commit(files(3))
    Object.assign(server, { username, password })
    const refused = await sync()
    expect(refused).toMatchObject({
      status: 'failed',
      reason: 'fetch_failed',
      error: { code: 'FETCH_REFUSED' },
    })
    const repo = `${server.url.replace('://', `://${userinfo}@`)}/.git`
    const result = await sync({ repo })
    expect(result).toMatchObject({ status: 'first_sync', filesImported: 3 })
    server.mood = 'hang'
    const asked = server.requested()
    const stop = new AbortController()
    const hanging = sync({ repo, signal: stop.signal })
    await asked
    expect(commandLines().join('\n')).toContain('git-remote-http')
    expect(commandLines().join('\n')).not.toMatch(/w0rd-of-a-server/)
    stop.abort()
    await hanging
    server.mood = 'serve'
    server.password = 'changed'
    await world.repository.commit(files(4))
    const failed = await sync({ repo })
    const { rows } = await world.db.query(
      'SELECT sources::text, (SELECT json_agg(runs)::text FROM tidemark.runs) AS runs FROM tidemark.sources',
    )
    const config = readFileSync(join(clones, 'docs.git', 'config'), 'utf8')
    expect(JSON.stringify([refused, result, failed, rows, config])).not.toMatch(/w0rd-of-a-server/)
  })

  test('that has no such ref, or is not there at all, says so', async () => {
    await world.repository.commit(files(1))
    expect(await sync({ ref: 'mian' })).toMatchObject({
      status: 'failed',
      error: { code: 'REF_NOT_FOUND', hint: 'tidemark sources set docs --ref main' },
    })
    expect(await sync({ repo: `${server.url}/nowhere` })).toMatchObject({
      status: 'failed',
      error: { code: 'FETCH_FAILED' },
    })
    expect(await sync({ repo: 'http://127.0.0.1:1/x.git' })).toMatchObject({
      status: 'failed',
      error: { code: 'FETCH_FAILED' },
    })
  })

  test.each([
    [
      'refuses the key',
      'git@example.org: Permission denied (publickey).',
      'FETCH_REFUSED',
      'an ssh key that the agent has',
    ],
    ['is not known', 'Host key verification failed.', 'FETCH_REFUSED', 'ssh-keyscan'],
    [
      'is not found',
      'ssh: Could not resolve hostname example.org',
      'FETCH_FAILED',
      'Check the address and the network',
    ],
  ])('whose ssh server %s fails and says what to do', async (_, said, code, hint) => {
    const stop = sshThat(`echo '${said}' >&2; exit 255`)
    const result = await sync({ repo: `git@example.org:team/docs.git` })
    stop()
    expect(result).toMatchObject({ status: 'failed', reason: 'fetch_failed', error: { code } })
    expect(result.status === 'failed' && result.error.hint).toContain(hint)
  })

  test('whose ssh hangs ends as pull_timeout, and no process of it is left', async () => {
    const stop = sshThat('sleep 1000')
    const result = await sync({ repo: 'git@example.org:team/docs.git', budgetMs: 500 })
    stop()
    expect(result).toMatchObject({ status: 'partial', reason: 'pull_timeout' })
    expect(descendants().filter((line) => /^(git|sleep) /.test(line))).toEqual([])
  })

  test.skipIf(!mayMount)(
    'whose clone finds the disk full fails and says so, and goes on when there is room',
    async () => {
      const random = () => randomBytes(20_000).toString('hex')
      await world.repository.commit({ 'a.md': random(), 'b.md': random(), 'c.md': random(), 'd.md': random() })
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=120k', 'tmpfs', clones])
      try {
        expect(await sync()).toMatchObject({
          status: 'failed',
          error: { code: 'FETCH_FAILED', hint: expect.stringContaining('Make room') },
        })
        expect(unfinishedPacks(join(clones, 'docs.git', 'objects', 'pack'))).toEqual([])
      } finally {
        // A helper of git may end a moment after git has.
        await vi.waitFor(() => execFileSync('umount', [clones], { stdio: 'ignore' }), 10_000)
      }
      expect(await sync()).toMatchObject({ status: 'first_sync', filesImported: 4 })
    },
  )

  test('may be behind file:// or ssh', async () => {
    const commit = await world.repository.commit(files(2))
    expect(await sync({ repo: `file://${world.repository.folder}` })).toMatchObject({
      status: 'first_sync',
      bookmark: commit,
    })
    const stop = sshThat('for last; do :; done\nexec sh -c "$last"')
    const result = await sync({ repo: `somehost:${world.repository.folder}` })
    stop()
    expect(result).toMatchObject({ status: 'synced', bookmark: commit })
  })
})

test.each([
  'ext::sh -c id',
  'http://example.org/x.git',
  'ftp://example.org/x',
  '-oProxyCommand=id:x',
  'ssh://-oProxyCommand=id/x',
])('the address %s is refused before anything is touched', async (repo) => {
  await using world = await testWorld({ engine: 'postgres' })
  await expect(syncSource(world.db, { id: 'docs', repo, ref: 'main' })).rejects.toMatchObject({
    code: 'BAD_SOURCE',
  })
})
