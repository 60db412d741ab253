import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createWakeups, type Listener } from '../src/wakeups.ts'

/** A connection as each of the drivers has it: how it is told, and what it was asked for. */
const drivers: Record<
  string,
  () => { listener: Listener; notify: (payload?: string, channel?: string) => void; sent: string[] }
> = {
  pg() {
    const emitter = new EventEmitter()
    const sent: string[] = []
    const listener = Object.assign(emitter, { query: async (text: string) => void sent.push(text) })
    return {
      listener: listener as Listener,
      sent,
      notify: (payload, channel = 'tidemark_lock') => emitter.emit('notification', { channel, payload }),
    }
  },
  PGlite() {
    let wake: ((payload: string) => void) | undefined
    const sent: string[] = []
    const listener: Listener = {
      async listen(channel, callback) {
        sent.push(`LISTEN ${channel}`)
        wake = callback
        return async () => {
          sent.push(`UNLISTEN ${channel}`)
          wake = undefined
        }
      },
    }
    return { listener, sent, notify: (payload) => wake?.(payload!) }
  },
  'postgres.js'() {
    let wake: ((payload: string) => void) | undefined
    const sent: string[] = []
    // `sql` is a function, and so is its listen().
    const listener = Object.assign(() => {}, {
      async listen(channel: string, callback: (payload: string) => void) {
        sent.push(`LISTEN ${channel}`)
        wake = callback
        const unlisten = async () => {
          sent.push(`UNLISTEN ${channel}`)
          wake = undefined
        }
        return { state: {}, unlisten }
      },
    })
    return { listener, sent, notify: (payload) => wake?.(payload!) }
  },
}

describe.each(Object.keys(drivers))('a connection of %s', (name) => {
  test('that listens wakes those who wait for the key, and no longer when it was closed', async () => {
    const { listener, notify, sent } = drivers[name]!()
    const keys: string[] = []
    const woken: string[] = []
    const wakeups = createWakeups(listener, (key) => keys.push(key))
    const wake = () => woken.push('job')
    wakeups.on('job', wake)
    wakeups.on('error', () => woken.push('error'))
    expect(wakeups.isListening()).toBe(false)
    await Promise.all([wakeups.ready(), wakeups.ready()])
    await wakeups.ready()
    expect(wakeups.isListening()).toBe(true)
    expect(sent).toEqual(['LISTEN tidemark_lock'])
    notify('job')
    notify('other')
    notify('error')
    expect(keys).toEqual(['job', 'other', 'error'])
    expect(woken).toEqual(['job', 'error'])
    wakeups.off('job', wake)
    notify('job')
    expect(woken).toEqual(['job', 'error'])
    await wakeups.close()
    notify('job')
    expect(keys).toHaveLength(4)
    expect(sent).toEqual(['LISTEN tidemark_lock', 'UNLISTEN tidemark_lock'])
  })
})

test('a connection of pg hears of its other channels, and of notifications without a text, which are not ours', async () => {
  const { listener, notify } = drivers.pg!()
  const keys: string[] = []
  const wakeups = createWakeups(listener, (key) => keys.push(key))
  await wakeups.ready()
  notify('job', 'of_another_program')
  notify(undefined)
  notify('')
  notify('job')
  expect(keys).toEqual(['', 'job'])
})

test('a subscription that cannot be ended is let be', async () => {
  for (const subscription of [undefined, null, {}]) {
    const wakeups = createWakeups({ listen: async () => subscription }, () => {})
    await wakeups.ready()
    await wakeups.close()
  }
})

test('locks that never listened close without a word to their connection', async () => {
  const { listener, sent } = drivers.PGlite!()
  await createWakeups(listener, () => {}).close()
  expect(sent).toEqual([])
})

test('locks that are closed while they begin to listen end that', async () => {
  const begun = Promise.withResolvers<void>()
  let ended = false
  const listener: Listener = {
    async listen() {
      await begun.promise
      return async () => {
        ended = true
      }
    },
  }
  const wakeups = createWakeups(listener, () => {})
  const ready = wakeups.ready()
  await wakeups.close()
  begun.resolve()
  await ready
  expect(ended).toBe(true)
})

test('a connection that failed to listen is tried again by the next who waits', async () => {
  let tries = 0
  const listener: Listener = {
    async listen() {
      if (++tries === 1) throw new Error('not yet')
    },
  }
  const wakeups = createWakeups(listener, () => {})
  await expect(wakeups.ready()).rejects.toThrow('not yet')
  expect(wakeups.isListening()).toBe(false)
  await wakeups.ready()
  expect(wakeups.isListening()).toBe(true)
  expect(tries).toBe(2)
})
