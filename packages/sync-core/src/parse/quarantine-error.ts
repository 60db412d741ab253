type PathCode = 'path_too_long' | 'path_not_utf8'
type TextCode =
  | 'bad_utf8'
  | 'nul'
  | 'too_large'
  | 'bad_front_matter'
  | 'lfs_pointer'
  | 'too_complex'
  | 'parser_crashed'
  | 'refused_by_database'
export type QuarantineCode = PathCode | TextCode

/** Why a file cannot become a page; `message` is read by the person who can fix the file. */
export class QuarantineError extends Error {
  override readonly name = 'QuarantineError'
  readonly code: QuarantineCode

  constructor(code: QuarantineCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
