import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../src/watch/create-app.ts'
import { repositoryKey } from '../../src/watch/same-repository.ts'

const hmac = (secret: string, body: string) => createHmac('sha256', secret).update(body).digest('hex')
const SECRETS = { github: 'of GitHub', gitlab: 'of GitLab', gitea: 'of Gitea', generic: 'of ours' }
const SOURCES = [
  { id: 'docs', repo: 'https://token@github.com/team/docs.git' },
  { id: 'docs-next', repo: 'git@github.com:Team/Docs' },
  { id: 'wiki', repo: 'ssh://git@git.example.org:2222/team/wiki/' },
  { id: 'local', repo: '/srv/docs.git' },
]

/** What a server answers, and which sources it has woken. */
async function post(name: string, body: string, headers: Record<string, string>, hooks: object = SECRETS) {
  const woken: string[] = []
  const app = createApp(() => ({
    hooks,
    sources: SOURCES,
    wake: (id) => void woken.push(id),
    findProblem: async () => null,
    mcp: null,
    readMetrics: async () => ({ text: '', contentType: 'text/plain' }),
  }))
  const response = await app.request(`/hooks/${name}`, { method: 'POST', body, headers })
  return { status: response.status, woken, text: await response.text() }
}

const ofDocs = JSON.stringify({
  repository: { clone_url: 'https://github.com/team/docs.git', ssh_url: 'git@github.com:team/docs.git' },
})
const ofWiki = JSON.stringify({
  project: { git_http_url: 'https://git.example.org/team/wiki.git', git_ssh_url: 'git@git.example.org:team/wiki.git' },
})

/** A request of each kind that its sender has signed, by what was signed. */
const SIGNED: Record<keyof typeof SECRETS, (body: string, secret: string) => Record<string, string>> = {
  github: (body, secret) => ({ 'x-hub-signature-256': `sha256=${hmac(secret, body)}` }),
  gitea: (body, secret) => ({ 'x-gitea-signature': hmac(secret, body) }),
  gitlab: (_, secret) => ({ 'x-gitlab-token': secret }),
  generic: (_, secret) => ({ authorization: `Bearer ${secret}` }),
}
const KINDS = Object.keys(SECRETS) as (keyof typeof SECRETS)[]

describe.each(KINDS)('a hook of %s', (kind) => {
  const signed = (body: string, secret = SECRETS[kind]) => SIGNED[kind](body, secret)

  test('that is signed wakes the sources of its repository, however their address is written', async () => {
    expect(await post(kind, ofDocs, signed(ofDocs))).toMatchObject({ status: 202, woken: ['docs', 'docs-next'] })
    expect(await post(kind, ofWiki, signed(ofWiki))).toMatchObject({ status: 202, woken: ['wiki'] })
    // As often as it comes.
    expect(await post(kind, ofWiki, signed(ofWiki))).toMatchObject({ status: 202 })
  })

  test('that is not signed, by another secret or over another body, wakes nothing', async () => {
    const others = [
      {},
      signed(ofDocs, 'another'),
      signed(ofDocs, ''),
      ...KINDS.filter((other) => other !== kind).map((other) => SIGNED[other](ofDocs, 'x')),
    ]
    for (const headers of others) expect(await post(kind, ofDocs, headers)).toMatchObject({ status: 401, woken: [] })
    if (kind === 'github' || kind === 'gitea')
      expect(await post(kind, ofDocs, signed(ofWiki))).toMatchObject({ status: 401, woken: [] })
    expect(await post(kind, '', signed(''))).toMatchObject({ woken: [] })
  })

  test('is not there where it has no secret, and never tells one', async () => {
    const { [kind]: _, ...others } = SECRETS
    expect(await post(kind, ofDocs, signed(ofDocs), others)).toMatchObject({ status: 404, woken: [] })
    const { text } = await post(kind, ofDocs, {})
    for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret)
  })

  test('of more than a megabyte is refused, whatever its length is said to be', async () => {
    const large = JSON.stringify({ repository: {}, padding: 'x'.repeat(1024 * 1024) })
    expect(await post(kind, large, signed(large))).toMatchObject({ status: 413, woken: [] })
  })

  test('about no source of ours, or about nothing, is taken and wakes nothing', async () => {
    for (const body of [
      '{"zen":"ping"}',
      '{"repository":{"clone_url":"https://github.com/team/other"}}',
      '{"repository":null}',
      '[]',
      '{"repository":{"clone_url":7}}',
    ])
      expect(await post(kind, body, signed(body))).toMatchObject({ status: 200, woken: [] })
    for (const body of ['null', 'x', '7'])
      expect(await post(kind, body, signed(body))).toMatchObject({ status: 400, woken: [] })
  })
})

test('a form with its payload is what GitHub sends by default', async () => {
  const body = new URLSearchParams({ payload: ofDocs }).toString()
  const headers = { ...SIGNED.github(body, SECRETS.github), 'content-type': 'application/x-www-form-urlencoded' }
  expect(await post('github', body, headers)).toMatchObject({ status: 202, woken: ['docs', 'docs-next'] })
})

test('a request of your own may name a source or an address, signed or with its secret', async () => {
  const asForm = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const [body, woken] of [
    ['{"source":"local"}', ['local']],
    ['{"repo":"git@git.example.org:team/wiki.git"}', ['wiki']],
  ] as const) {
    expect(await post('generic', body, { ...SIGNED.generic(body, SECRETS.generic), ...asForm })).toMatchObject({
      woken,
    })
    expect(await post('generic', body, SIGNED.github(body, SECRETS.generic))).toMatchObject({ woken })
  }
})

test.each(['__proto__', 'constructor', 'other', 'GitHub'])('there is no hook %s', async (name) => {
  expect(await post(name, ofDocs, SIGNED.github(ofDocs, SECRETS.github))).toMatchObject({ status: 404, woken: [] })
})

test.each([
  ['https://github.com/o/r', 'github.com/o/r'],
  ['https://me:secret@GitHub.com/O/R.git/', 'github.com/o/r'],
  ['git@github.com:o/r.git', 'github.com/o/r'],
  ['github.com:o/r', 'github.com/o/r'],
  ['ssh://git@github.com:22/o/r.git', 'github.com/o/r'],
  ['git://github.com/o/r', 'github.com/o/r'],
  ['https://git.example.org:8443/a/b/c.git', 'git.example.org/a/b/c'],
  ['https://git.example.org/.git', 'git.example.org/.git'],
  ['https://github.com/', null],
  ['https://github.com', null],
  ['/srv/docs.git', null],
  ['C:\\docs', null],
  ['', null],
])('the repository of %j is %j', (address, key) => {
  expect(repositoryKey(address)).toBe(key)
})
