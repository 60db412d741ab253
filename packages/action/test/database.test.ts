import { type Database, openDatabase } from '@tidemark/sync-core'
import { describe, expect, test, vi } from 'vitest'
import { withStepDatabase } from '../src/runner/database.ts'

vi.mock('@tidemark/sync-core', async (original) => ({
  ...(await original<object>()),
  openDatabase: vi.fn(),
}))

/** Has `openDatabase` give a database that closes so. @returns what is written to the log of the step */
function databaseClosing(close: Database['close']) {
  vi.mocked(openDatabase).mockResolvedValue({ close } as Database)
  const lines: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
  return lines
}

const here = { database: 'postgres://me@host/x' }

test('the signal of a step reaches the database that it opens', async () => {
  databaseClosing(async () => {})
  const { signal } = new AbortController()
  await withStepDatabase(here, async () => {}, signal)
  expect(openDatabase).toHaveBeenCalledWith(here.database, { signal })
})

describe('a database that fails when it is closed', () => {
  const fails = async () => {
    throw new Error('cut off from postgres://me:s3cret@host/x')
  }

  test('takes no result of the work, and is told as a warning without secrets', async () => {
    const log = databaseClosing(fails)
    expect(await withStepDatabase(here, async () => 'results')).toBe('results')
    expect(log.join('')).toMatch(/^::warning title=tidemark%3A the database was not closed .*::cut off from/)
    expect(log.join('')).not.toContain('s3cret')
  })

  test('does not stand in the place of the error of the work', async () => {
    databaseClosing(fails)
    const work = async () => {
      throw new Error('of the work')
    }
    await expect(withStepDatabase(here, work)).rejects.toThrow('of the work')
  })
})

test('a database that goes silent when it is closed takes no result of the work', async () => {
  databaseClosing(() => new Promise(() => {}))
  expect(await withStepDatabase(here, async () => 'results')).toBe('results')
})
