/** What can go wrong, as a literal that a program can switch on. */
export type LockErrorCode =
  /** An option, a key or an `info` that cannot be; nothing was sent. */
  | 'LOCK_BAD_OPTIONS'
  | 'LOCK_BAD_KEY'
  /** `migrate()` cannot take over the table that is there; the message says why, and the remedy. */
  | 'LOCK_BAD_TABLE'
  /** These locks, or this lease, have been given up. */
  | 'LOCK_CLOSED'
  /** The call that waits for the key has it itself. */
  | 'LOCK_DEADLOCK'
  /** The database failed or did not answer; `cause` says how. */
  | 'LOCK_FAILED'
  | 'LOCK_FORBIDDEN'
  | 'LOCK_NOT_MIGRATED'
  /** A fence outside of a transaction, where it protects nothing. */
  | 'LOCK_NO_TRANSACTION'
  | 'LOCK_TIMEOUT'
  | 'LEASE_LOST'

/** The one error class of this package; a fault of the database is its `cause`. */
export class LockError extends Error {
  override readonly name: string = 'LockError'
  readonly code: LockErrorCode

  constructor(code: LockErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

export const badOption = (message: string, cause?: unknown) => new LockError('LOCK_BAD_OPTIONS', message, cause)

const LOSS_MESSAGES = {
  expired: 'it was not refreshed in time',
  taken: 'another holder has it by now',
  broken: 'someone broke it',
  deleted: 'its row is gone',
  unreachable: 'the database did not confirm it in time',
}

/** How a lease was lost: not renewed in time, had by another, broken by someone, its row gone, or the database silent. */
export type LossReason = keyof typeof LOSS_MESSAGES

/** The reason of a lost lease's signal, and what every later call on the lease throws. */
export class LeaseLostError extends LockError {
  override readonly name = 'LeaseLostError'
  declare readonly code: 'LEASE_LOST'
  readonly reason: LossReason
  readonly key: string
  readonly token: bigint
  /** When the database last confirmed the lease, by this process's clock. */
  readonly lastConfirmedAt: Date

  constructor(reason: LossReason, lost: { key: string; token: bigint; lastConfirmedAt: Date }, cause?: unknown) {
    super('LEASE_LOST', `the lease of "${lost.key}" is lost: ${LOSS_MESSAGES[reason]}`, cause)
    this.reason = reason
    this.key = lost.key
    this.token = lost.token
    this.lastConfirmedAt = lost.lastConfirmedAt
  }

  toJSON(): object {
    const { name, code, message, reason, key, lastConfirmedAt } = this
    return { name, code, message, reason, key, token: String(this.token), lastConfirmedAt }
  }
}
