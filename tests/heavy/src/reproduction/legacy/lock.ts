import type pg from 'pg'

export interface LockTimes {
  readonly ttlMs: number
  /** How often its holder shows a sign of life, which puts the expiry off. */
  readonly refreshMs: number
}

/**
 * Does work under a lock that is free or has expired. A process that is killed leaves its lock; one that is sent SIGTERM
 * releases it.
 *
 * @returns null where another process has the lock.
 */
export async function withLock<T>(
  db: pg.Pool,
  id: string,
  times: LockTimes,
  work: () => Promise<T>,
): Promise<T | null> {
  const { rowCount } = await db.query(
    `INSERT INTO legacy.locks VALUES ($1, $2, now() + $3 * interval '1 ms', now())
     ON CONFLICT (id) DO UPDATE SET
       holder_pid = $2, ttl_expires_at = excluded.ttl_expires_at, last_refreshed_at = now()
     WHERE locks.ttl_expires_at < now()`,
    [id, process.pid, times.ttlMs],
  )
  if (rowCount === 0) return null
  const refresh = () =>
    db.query(
      `UPDATE legacy.locks SET ttl_expires_at = now() + $3 * interval '1 ms', last_refreshed_at = now()
       WHERE id = $1 AND holder_pid = $2`,
      [id, process.pid, times.ttlMs],
    )
  const release = () => db.query('DELETE FROM legacy.locks WHERE id = $1 AND holder_pid = $2', [id, process.pid])
  const onTerminate = () => release().finally(() => process.exit(143))
  const timer = setInterval(refresh, times.refreshMs)
  process.once('SIGTERM', onTerminate)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    process.off('SIGTERM', onTerminate)
    await release()
  }
}

/** What `--break-lock --all --max-age` of the first fix does. */
export async function breakOldLocks(db: pg.Pool, maxAgeMs: number): Promise<void> {
  await db.query(`DELETE FROM legacy.locks WHERE last_refreshed_at < now() - $1 * interval '1 ms'`, [maxAgeMs])
}
