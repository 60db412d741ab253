import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { scriptedDatabase } from './world/scripted-database.ts'

afterEach(() => void vi.restoreAllMocks())

describe('onEvent', () => {
  test('that throws costs no lease: its error is one of the process that nobody catches', async () => {
    const thrown: (() => void)[] = []
    vi.spyOn(process, 'nextTick').mockImplementation((callback) => void thrown.push(callback as () => void))
    const { locks } = scriptedDatabase()
    const onEvent = () => {
      throw new Error('a mistake of the listener')
    }
    expect((await locks({ onEvent }).acquire('job')).held).toBe(true)
    expect(thrown).toHaveLength(1)
    expect(thrown[0]).toThrow('a mistake of the listener')
  })

  test('need not be there, and the channel of the process is told all the same', async () => {
    const nextTick = vi.spyOn(process, 'nextTick')
    const published: unknown[] = []
    const note = (event: unknown) => published.push(event)
    subscribe('tidemark:lease', note)
    await scriptedDatabase().locks().acquire('job')
    unsubscribe('tidemark:lease', note)
    expect(published).toMatchObject([{ type: 'acquired', key: 'job' }])
    expect(nextTick).not.toHaveBeenCalled()
  })
})
