import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDatabaseAddress } from '../src/database/address.ts'
import { validateEmbedding } from '../src/embed/embedding.ts'
import { parseAddress } from '../src/git/address.ts'
import { openDatabase, redact, validateSource } from '../src/index.ts'
import { redactAddress } from '../src/redact.ts'
import { sourceRecord } from '../src/sync/source.ts'

const SECRET = 's3cret'

/** Passwords as people paste them, and as some of them escape them. */
const PASSWORDS = [
  ...['S', 'p/S', 'p?S', 'p#S', 'p@S', 'p S', 'p:S', 'p%S', '100%S', 'p\\S', 'p"S', "p'S", 'p<S>', 'p$S', 'p$(S)'],
  ...['p&S', 'p=S', 'p;S', 'p,S', 'p[S]', 'p{S}', 'p|S', 'p^S', 'p`S', 'p~S', 'p+S', 'p*S', 'p!S', 'p(S)', 'üS', '🌊S'],
  ...['p\nS', 'p\tS', 'p\rS', 'p%2FS', 'p%40S', 'p%0AS', 'S/', '/S', '//S', '1/S', '1?S', '1#S', '1@S', '@S', ':S'],
  ...['1/x@y/S', 'S@elsewhere', '1?a=S', '1#a@S', 'p/S@', ' S', 'S '],
].map((password) => password.replace('S', SECRET))

const SCHEMES = ['https://me:P@127.0.0.1:9/a/b.git', 'http://me:P@localhost/b.git', 'ssh://me:P@host:22/b.git']
const SERVERS = [...SCHEMES, 'postgres://me:P@127.0.0.1:9/db', 'postgresql://me:P@host/db?sslmode=require']

const thrown = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('an address whose password is', () => {
  test.each(PASSWORDS)('%j shows nothing of it, alone, in a text, in an error or in the database', (password) => {
    for (const server of SERVERS) {
      const address = server.replace('P', () => password)
      const source = { id: 'docs', repo: address, ref: 'main' }
      const shown = [
        redactAddress(address),
        redact(`fatal: unable to access '${address}': Could not resolve host`.replace(/[\r\n]/g, '')),
        thrown(() => validateSource(source)),
        thrown(() => parseDatabaseAddress(address)),
        thrown(() => validateEmbedding({ url: address, model: 'm' })),
        thrown(() => parseAddress(address))?.valueOf(),
      ]
      const { url: _, ...database } = shown[3] as { url?: string }
      const { username: _user, password: _password, ...git } = (shown[5] ?? {}) as Record<string, unknown>
      for (const each of [shown[0], shown[1], shown[2], database, shown[4], git]) {
        expect(`${(each as Error)?.message} ${inspect(each)}`).not.toContain(SECRET)
      }
      if (parseAddress(address) !== null) expect(inspect(sourceRecord(source))).not.toContain(SECRET)
    }
  })

  test.each([
    ['p%2Fs3cret', 'p/s3cret'],
    ['p@s3cret', 'p@s3cret'],
    ['p:s3cret', 'p:s3cret'],
    ['100%s3cret', '100%s3cret'],
    ['p$(s3cret)', 'p$(s3cret)'],
  ])('%j is read as it is meant, wherever there is one way to read it', (written, meant) => {
    expect(parseAddress(`https://me:${written}@host/x.git`)).toEqual({
      url: 'https://host/x.git',
      username: 'me',
      password: meant,
    })
  })

  test.each(['p/S', 'p?S', 'p#S', '1/S', '1?S', '1#S', '/S', 'p\nS'])('%j as it stands is refused', (password) => {
    for (const server of SERVERS) {
      const address = server.replace('P', () => password)
      expect([parseAddress(address), thrown(() => parseDatabaseAddress(address))]).toMatchObject([
        null,
        { code: 'DATABASE_REFUSED' },
      ])
    }
  })
})

describe('no repository is', () => {
  test.each([
    'https://host/x.git?private_token=s3cret',
    'https://host/x.git?s3cret',
    'https://host/x.git#s3cret',
    'ssh://host/x.git?token=s3cret',
    'me:s3cret@host:x.git',
    'me:s3cret@host/x.git',
    's3cret@host/x.git',
    '//me:s3cret@host/x.git',
    ' https://me:s3cret@host/x.git',
    '"https://me:s3cret@host/x.git"',
    "'https://s3cret@host/x.git'",
    'git:https://s3cret@host/x.git',
    'https:/me:s3cret@host/x.git',
    'https:/host/x.git?token=s3cret',
    'git clone https://s3cret@host/x.git',
    'host=host password=s3cret:x',
    '/https://s3cret@host/x.git',
    'http://me:s3cret@example.org/x.git',
    '-https://s3cret@host/x.git',
  ])('%j, and the refusal shows nothing secret of it', (repo) => {
    const error = thrown(() => validateSource({ id: 'docs', repo, ref: 'main' }))
    expect(error).toMatchObject({ code: 'BAD_SOURCE' })
    expect(inspect(error)).not.toContain(SECRET)
  })

  test('an address of http to another machine, which is said to be unencrypted', () => {
    const refused = (repo: string) => thrown(() => validateSource({ id: 'docs', repo, ref: 'main' }))
    expect(refused('http://example.org/x.git')).toMatchObject({ message: expect.stringContaining('is not encrypted') })
    for (const host of ['localhost:1', '127.0.0.1', '[::1]:80']) expect(refused(`http://${host}/x.git`)).toBeUndefined()
  })

  test.each(['docs', './a@b/c', '../x y', '/srv/a@b/c', 'git@host:team/x.git', 'host:x', 'file:///srv/@scope/x.git'])(
    'refused for nothing: %s',
    (repo) => expect(thrown(() => validateSource({ id: 'docs', repo, ref: 'main' }))).toBeUndefined(),
  )
})

describe('no database is', () => {
  let folder: string
  const before = process.cwd()
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-addresses-'))
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })

  test.each([
    'host=127.0.0.1 dbname=x password=s3cret',
    "host = 127.0.0.1 password='s3cret'",
    'password=s3cret',
    'DATABASE_URL=postgres://me:s3cret@127.0.0.1:9/x',
    ' postgres://me:s3cret@127.0.0.1:9/x',
    'postgres://me:s3cret@127.0.0.1:9/x ',
    'postgres://me:s3cret@127.0.0.1:9/x\n',
    '"postgres://me:s3cret@127.0.0.1:9/x"',
    "'postgres://me:s3cret@127.0.0.1:9/x'",
    '<postgres://me:s3cret@127.0.0.1:9/x>',
    'jdbc:postgresql://127.0.0.1:9/x?user=me&password=s3cret',
    'psql postgres://me:s3cret@127.0.0.1:9/x',
    'postgres+asyncpg://me:s3cret@127.0.0.1:9/x',
    'mysql://me:s3cret@127.0.0.1/x',
    'https://me:s3cret@127.0.0.1/x',
    'postgres:/me:s3cret@127.0.0.1:9/x',
    'postgres:me:s3cret@127.0.0.1:9/x',
    'postgres//me:s3cret@127.0.0.1:9/x',
    'postgres:///me:s3cret@127.0.0.1:9/x',
    '//me:s3cret@127.0.0.1:9/x',
    '//s3cret/x',
    '://me:s3cret@127.0.0.1:9/x',
    'me:s3cret@127.0.0.1:9/x',
    's3cret@127.0.0.1/x',
    '127.0.0.1:9/s3cret',
    '${DATABASE_URL}',
    '$DATABASE_URL',
    '~/s3cret',
    'file:///tmp/s3cret',
    '\ufeffpostgres://me:s3cret@127.0.0.1:9/x',
    'a\tb-s3cret',
    '',
    ' ',
  ])('%j, and the refusal makes no folder and shows nothing of it', async (where) => {
    const error = await openDatabase(where).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'DATABASE_REFUSED' })
    expect(inspect(error)).not.toContain(SECRET)
    expect(readdirSync('.')).toEqual([])
  })

  test('one of libpq or JDBC without being called by its form', async () => {
    await expect(openDatabase('host=x dbname=y')).rejects.toThrow('"host=… dbname=…"')
    await expect(openDatabase('jdbc:postgresql://x/y')).rejects.toThrow('JDBC')
  })

  test.each(['db', '.tidemark/db', './a=b', '../x', '/srv/db@2/x y', 'my folder', 'dätä.1', 'C:\\data'])(
    'refused that is plainly the path of a folder: %s',
    (where) => expect(parseDatabaseAddress(where)).toMatchObject({ engine: 'pglite' }),
  )

  test.each([
    ['postgres://me:s3cret@h/db?sslmode=require&password=s3cret', 'postgres://h/db'],
    ['postgresql://me:p%40s3cret@[::1]:5432/db', 'postgresql://[::1]:5432/db'],
    ['postgres:///db?host=/run/postgresql', 'postgres:///db'],
    ['postgres://me:s3cret@/db?host=/run/postgresql', 'postgres:///db'],
    ['POSTGRES://h/db', 'postgres://h/db'],
  ])('refused that is one of Postgres: %s', (where, name) => {
    expect(parseDatabaseAddress(where)).toMatchObject({ engine: 'postgres', name })
  })
})

test('a text keeps what is no secret of it', () => {
  expect(redact("unable to access 'https://me:x@host/a.git/': Could not resolve host: host")).toBe(
    "unable to access 'https://host/a.git/': Could not resolve host: host",
  )
  expect(redact('see https://host/a and https://host/b?private_token=x, or /c?api_key=y&n=1')).toBe(
    'see https://host/a and https://host/b?*** or /c?api_key=***&n=1',
  )
  expect(redact('mail me@host about https://host/a')).toBe('mail me@host about https://host/a')
})

test('a text of any length is redacted at once', () => {
  const started = performance.now()
  for (const part of ['a', 'a://', 'a:// ', 'https://x@', '?token=', '\n://']) redact(part.repeat(200_000))
  expect(performance.now() - started).toBeLessThan(5_000)
})
