import { LockError } from '@tidemark/lock'

/** Refused, cut off, or of a server that shuts down or starts: by SQLSTATE, by the system's code, by the driver's words. */
const LOST = /^(08|57P0)|^E(CONN|PIPE|TIMEDOUT|HOST)/
const LOST_MESSAGE = /connection terminated|not queryable|timeout exceeded when trying to connect/i

/** Whether a statement failed with its connection: another connection may serve the next one. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof LockError) return isConnectionLost(error.cause)
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return (typeof code === 'string' && LOST.test(code)) || LOST_MESSAGE.test(String(message))
}

/** Whether a server has no connection left to give, or is only just starting. */
export function isConnectionDeferred(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return (
    code === '53300' ||
    code === '57P03' ||
    /no more connections allowed|max client connections|too many (clients|connections)/i.test(String(message))
  )
}
