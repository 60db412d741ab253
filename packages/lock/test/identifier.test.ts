import { describe, expect, test } from 'vitest'
import {
  checkName,
  functionName,
  literal,
  parseTableName,
  qualified,
  qualifiedFunction,
  quote,
} from '../src/identifier.ts'

const badOption = expect.objectContaining({ code: 'LOCK_BAD_OPTIONS' })

describe('the name of a table', () => {
  test.each([
    ['locks', null, 'locks'],
    ['Locks', null, 'locks'],
    ['_a$1', null, '_a$1'],
    ['Jobs.Locks', 'jobs', 'locks'],
    ['"My Locks"', null, 'My Locks'],
    ['jobs."My ""own"" Locks"', 'jobs', 'My "own" Locks'],
    ['"a.b"."C"', 'a.b', 'C'],
    [`"${'é'.repeat(31)}"`, null, 'é'.repeat(31)],
  ])('%s is read as Postgres reads it', (text, schema, name) => {
    expect(parseTableName(text)).toEqual({ schema, name })
  })

  test.each([
    '',
    '1a',
    'a b',
    'a.b.c',
    '.a',
    'a.',
    'a; DROP TABLE b',
    '"a',
    '"a"b"',
    '""',
    '"a\0b"',
    'x'.repeat(64),
    `${'x'.repeat(64)}.a`,
    `"${'é'.repeat(32)}"`,
    5,
    null,
    ['locks'],
  ])('%j is refused', (text) => {
    expect(() => parseTableName(text as string)).toThrow(badOption)
  })

  test.each([['x'.repeat(63)], ['é'.repeat(31)], ['a "quoted" name'], ['two\nlines']])(
    'of a column may be %j',
    (name) => {
      expect(checkName(name, 'column')).toBe(name)
    },
  )

  test.each(['', 'a\0', '\0a', '\0', 'x'.repeat(64), 5, undefined])('of a column may not be %j', (name) => {
    expect(() => checkName(name, 'column')).toThrow(badOption)
  })
})

test('names and texts stand in the quotes of SQL, whatever they have in them', () => {
  expect(quote('a "b" "c"')).toBe('"a ""b"" ""c"""')
  expect(literal("it's 'so'")).toBe("'it''s ''so'''")
  expect(qualified({ schema: null, name: 'a"' })).toBe('"a"""')
  expect(qualified({ schema: 's.', name: 'a' })).toBe('"s."."a"')
})

describe('a function of a table', () => {
  test('has its name after that of the table, as long as Postgres does not cut it', () => {
    expect(functionName('locks', '_acquire')).toBe('locks_acquire')
    expect(functionName('x'.repeat(55), '_acquire')).toBe(`${'x'.repeat(55)}_acquire`)
    expect(qualifiedFunction({ schema: 's', name: 'locks' }, '_trigger')).toBe('"s"."locks_trigger"')
    expect(qualifiedFunction({ schema: null, name: 'locks' }, '_release')).toBe('"locks_release"')
  })

  test('has a hash in its name where that would be cut, so that tables stay apart', () => {
    const [one, two] = ['a', 'b'].map((end) => functionName('x'.repeat(55) + end, '_acquire'))
    expect(one).toMatch(/^x{40}_[0-9a-f]{8}_acquire$/)
    expect(two).toMatch(/^x{40}_[0-9a-f]{8}_acquire$/)
    expect(one).not.toBe(two)
  })

  test('is cut between letters', () => {
    expect(functionName(`x${'é'.repeat(31)}`, '_release')).toMatch(/^xé{19}_[0-9a-f]{8}_release$/)
    expect(functionName('é'.repeat(31), '_release')).toMatch(/^é{20}_[0-9a-f]{8}_release$/)
    expect(functionName(`\ufffd${'x'.repeat(60)}`, '_release')).toMatch(/^\ufffdx{37}_[0-9a-f]{8}_release$/)
  })
})
