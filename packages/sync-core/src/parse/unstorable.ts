/** Why a file cannot become a page; `message` is read by the person who can mend the file. */
export class Unstorable extends Error {
  override readonly name = 'Unstorable'
  readonly code:
    | 'bad_utf8'
    | 'nul'
    | 'too_large'
    | 'bad_front_matter'
    | 'path_too_long'
    | 'path_not_utf8'
    | 'lfs_pointer'
    | 'too_complex'

  constructor(code: Unstorable['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
