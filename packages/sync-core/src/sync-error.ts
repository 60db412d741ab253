/** What can go wrong, as a literal that a program can switch on. */
export type SyncErrorCode =
  | 'NOT_A_REPOSITORY'
  | 'REF_NOT_FOUND'
  | 'BAD_REF'
  | 'BAD_SOURCE'
  | 'SOURCE_BUSY'
  | 'GIT_MISSING'
  | 'GIT_FAILED'
  | 'FETCH_FAILED'
  | 'FETCH_REFUSED'
  | 'FETCH_REDIRECTED'
  | 'DATABASE_UNREACHABLE'
  | 'DATABASE_REFUSED'
  | 'DATABASE_IN_USE'
  | 'DATABASE_FOLDER'
  | 'DATABASE_FULL'
  | 'DATABASE_FAILED'
  | 'DATABASE_NEWER'
  | 'DATABASE_OLDER'
  | 'VECTOR_MISSING'
  | 'VECTOR_SEARCH_FAILED'
  | 'NOT_INDEXED'
  | 'NO_EMBEDDINGS'
  | 'BAD_EMBEDDING'
  | 'EMBEDDING_REFUSED'
  | 'EMBEDDING_REJECTED'
  | 'EMBEDDING_FAILED'
  | 'EMBEDDING_DIMENSIONS'
  | 'PAGE_NOT_FOUND'
  | 'SECTION_NOT_FOUND'
  | 'BAD_CURSOR'
  | 'CURSOR_EXPIRED'
  | 'PARSER_KILLED'

/**
 * The one error class of this package: `message` says what failed and on what, `hint` what to do now.
 *
 * Neither ever holds a password: addresses pass through {@link redact} first.
 */
export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode
  readonly hint: string

  constructor(code: SyncErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
  }
}
