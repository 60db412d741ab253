import type pg from 'pg'

/** Takes a lock that is free or has expired. @returns null, or the process that has it. */
export async function takeLock(db: pg.Client, id: string, ttlMs: number): Promise<number | null> {
  const { rowCount } = await db.query(
    `INSERT INTO legacy.locks VALUES ($1, $2, now(), now() + $3 * interval '1 ms', now())
     ON CONFLICT (id) DO UPDATE SET holder_pid = $2, acquired_at = now(), last_refreshed_at = now(),
       ttl_expires_at = excluded.ttl_expires_at
     WHERE locks.ttl_expires_at < now()`,
    [id, process.pid, ttlMs],
  )
  if (rowCount === 1) return null
  const { rows } = await db.query('SELECT holder_pid FROM legacy.locks WHERE id = $1', [id])
  return rows[0]?.holder_pid ?? 0
}

/** The heartbeat, which came with the first fix. */
export async function refreshLock(db: pg.Client, id: string, ttlMs: number): Promise<void> {
  await db.query(
    `UPDATE legacy.locks SET last_refreshed_at = now(), ttl_expires_at = now() + $3 * interval '1 ms'
     WHERE id = $1 AND holder_pid = $2`,
    [id, process.pid, ttlMs],
  )
}

export async function releaseLock(db: pg.Client, id: string): Promise<void> {
  await db.query('DELETE FROM legacy.locks WHERE id = $1 AND holder_pid = $2', [id, process.pid])
}

/** What `--break-lock --all --max-age` of the first fix does. */
export async function breakOldLocks(db: pg.Client, maxAgeMs: number): Promise<void> {
  await db.query(`DELETE FROM legacy.locks WHERE last_refreshed_at < now() - $1 * interval '1 ms'`, [maxAgeMs])
}
