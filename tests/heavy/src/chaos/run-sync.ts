/** One sync in a process of its own, as someone who uses the library would write it; prints its phases and its result. */
import { closeDatabase, openDatabase, syncSource } from '@tidemark/sync-core'
import { SHORT_LEASE } from './plan-wave.ts'

const [url = '', json = ''] = process.argv.slice(2)
const { source, options } = JSON.parse(json)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

try {
  const db = await openDatabase(url, { ...SHORT_LEASE, signal: stop.signal })
  const result = await syncSource(db, source, {
    ...options,
    signal: stop.signal,
    onProgress: ({ phase, done }) => console.log(phase === 'apply' && done > 0 ? 'stored' : phase),
  })
  console.log(JSON.stringify(result))
  // The result stands, whatever comes of closing.
  await closeDatabase(db, () => {})
} catch (error) {
  // There was no database to be opened, or no time for it.
  const { code, message } = error as { code?: string; message: string }
  if (code === undefined && !stop.signal.aborted) throw error
  const failed = { status: 'failed', error: { code, message } }
  console.log(JSON.stringify(stop.signal.aborted ? { status: 'partial', reason: 'cancelled' } : failed))
}
