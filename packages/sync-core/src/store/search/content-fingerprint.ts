/**
 * SQL for what the entries of a `page` are made of. Blob and parser make the text, the path perhaps the title; the time
 * tells what a full sync has written again with the same of both. As a number: how a timestamp reads depends on the
 * session.
 *
 * @param language an expression that names the dictionary
 */
export const contentFingerprint = (language: string) =>
  `md5(concat_ws(' ', page.blob_oid, page.parser_version, ${language}, extract(epoch FROM page.updated_at), page.title))::uuid`
