import { formatDuration } from '../../run/format-duration.ts'
import { SyncError } from '../../sync-error.ts'

/** Who has a folder, as far as its lock says so; one that is being written says nothing yet. */
export interface FolderHolder {
  readonly pid: number | null
  readonly host: string | null
  /** What it does, as `tidemark sync`. */
  readonly label: string | null
  readonly heldForMs: number | null
}

/** Another process has the database. */
export class DatabaseInUseError extends SyncError {
  declare readonly code: 'DATABASE_IN_USE'
  readonly holder: FolderHolder

  constructor(folder: string, holder: FolderHolder) {
    const { pid, host, label, heldForMs } = holder
    const who = pid === null ? 'another process' : `process ${pid}${host === null ? '' : ` on ${host}`}`
    const since = heldForMs === null ? '' : `, for ${formatDuration(heldForMs)}`
    super(
      'DATABASE_IN_USE',
      `The embedded database in ${folder} is in use by ${who}${label === null ? '' : ` (${label})`}${since}`,
      'Wait for it to end; sync and embed do so by themselves with --wait 10m. For several processes at once, use a Postgres: set DATABASE_URL.',
    )
    this.holder = holder
  }
}
