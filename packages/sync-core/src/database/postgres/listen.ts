import pg from 'pg'
import type { Listening } from '../database.ts'

/** Listens on a connection of its own, which the signal ends. */
export async function listen(
  options: pg.ClientConfig,
  channel: string,
  { onNotification, onLost }: Listening,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted()
  const client = new pg.Client(options)
  const end = () => void client.end().catch(() => {})
  client.on('notification', (message) => onNotification(message.payload ?? ''))
  client.on('error', () => {}) // `end` follows.
  client.once('end', () => {
    signal.removeEventListener('abort', end)
    onLost()
  })
  signal.addEventListener('abort', end, { once: true })
  try {
    await client.connect()
    await client.query(`LISTEN ${channel}`)
  } catch (error) {
    end()
    throw error
  }
}
