import { type Database, pendingMigrations } from '@tidemark/sync-core'
import { isMissing } from '../database/missing-database.ts'
import { duration } from '../show/words.ts'
import { type Finding, failed, well, wrong } from './finding.ts'

/** More than a token of a git server or a certificate would forgive. */
const SKEW_MS = 60_000

const CLOCKS_AGREE = well('clock', 'this machine and the database agree')

/** Whether the database can be written to, has the tables of this release, and has the time of this machine. */
export async function checkDatabase(db: Database): Promise<Finding[]> {
  if (isMissing(db)) {
    return [
      well('database', `PGlite in ${db.name}, which the first sync makes`),
      // It has the clock of this machine.
      CLOCKS_AGREE,
      await checkSchema(db),
    ]
  }
  const asked = Date.now()
  const { rows } = await db.query(serverSql)
  const { version, replica, now } = rows[0]!
  const skewMs = Math.abs(new Date(now).getTime() - (asked + Date.now()) / 2)
  const kind = db.engine === 'pglite' ? 'PGlite, Postgres' : 'Postgres'
  return [
    replica
      ? wrong('database', {
          message: `${db.name} is a replica, and read-only`,
          nextStep: 'Set DATABASE_URL to the primary.',
        })
      : well('database', `${kind} ${version} in ${db.name}`),
    skewMs > SKEW_MS
      ? wrong('clock', {
          message: `this machine and the database differ by ${duration(skewMs)}`,
          nextStep: 'timedatectl set-ntp true',
        })
      : CLOCKS_AGREE,
    await checkSchema(db),
  ]
}

async function checkSchema(db: Database): Promise<Finding> {
  try {
    const pending = await pendingMigrations(db)
    if (pending.length === 0) return well('schema', 'the tables are up to date')
    return wrong('schema', {
      message: 'the tables are missing or older than this release',
      nextStep: 'tidemark migrate',
    })
  } catch (error) {
    return failed('schema', error)
  }
}

const serverSql = /* sql */ `
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS replica, clock_timestamp() AS now`
