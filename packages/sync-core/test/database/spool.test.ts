import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeSpool, openSpool, pack, unpack } from '../../src/database/pglite/spool.ts'
import { openDatabase } from '../../src/index.ts'

const LARGE = ['é'.repeat(200_000), 'ä\u{1F600}'.repeat(100_000)]

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-spool-'))
})
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 5 }))

describe('what two processes hand over', () => {
  test('goes by a file that has no name when it is large, each message in its own place', () => {
    const spool = openSpool(join(folder, 'db'))
    expect(readdirSync(folder)).toEqual([])
    const packed = LARGE.map((text, slot) => pack({ text }, spool, slot))
    expect(packed).toEqual([expect.any(Number), expect.any(Number)])
    for (const [slot, text] of LARGE.entries()) expect(unpack(packed[slot]!, spool, slot)).toEqual({ text })
    closeSpool(spool)
  })

  test('goes by itself when it is small, or where no file can be', () => {
    const spool = openSpool(join(folder, 'db'))
    for (const [message, file] of [
      ['small', spool],
      [LARGE[0], null],
    ] as const) {
      const packed = pack(message, file, 0)
      expect(packed).toBeInstanceOf(Uint8Array)
      expect(unpack(packed, file, 0)).toBe(message)
    }
    closeSpool(spool)
  })
})

test('large statements that wait for each other, and their rows, arrive as they were sent', {
  timeout: 120_000,
}, async () => {
  const db = await openDatabase(join(folder, 'db'))
  const sent = Array.from({ length: 6 }, (_, n) => `${n}${LARGE[n % 2]}`)
  const arrived = await Promise.all(sent.map((text) => db.query('SELECT $1::text AS text', [text])))
  expect(arrived.map(({ rows }) => rows[0].text)).toEqual(sent)
  expect(readdirSync(folder).sort()).toEqual(['db', 'db.lock'])
  await db.close()
})

test('what cannot be sent fails by itself, and the next statement has its own answer', {
  timeout: 120_000,
}, async () => {
  const db = await openDatabase(join(folder, 'db'))
  await expect(db.query('SELECT $1', [() => {}])).rejects.toThrow('could not be cloned')
  expect((await db.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await db.close()
})

test('a link that another has put where that file is made is not followed', async () => {
  writeFileSync(join(folder, 'theirs'), 'kept')
  symlinkSync('theirs', join(folder, 'db.spool'))
  closeSpool(openSpool(join(folder, 'db')))
  expect(readFileSync(join(folder, 'theirs'), 'utf8')).toBe('kept')
})

test('an embedded database does without that file where it cannot be made', { timeout: 120_000 }, async () => {
  mkdirSync(join(folder, 'db.spool'))
  writeFileSync(join(folder, 'db.spool/taken'), '')
  const db = await openDatabase(join(folder, 'db'))
  expect((await db.query('SELECT $1::text AS text', [LARGE[0]])).rows).toEqual([{ text: LARGE[0] }])
  await db.close()
})
