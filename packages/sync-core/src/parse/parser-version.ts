// Raised by one whenever the same bytes would be parsed to another page; stored pages of an older version are then
// differences like any other, and every source is parsed anew in as many runs as its budget takes.
export const PARSER_VERSION = 3
