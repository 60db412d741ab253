// Keeps a Meilisearch index equal to a source of the mirror, however often this process, the sync or the index is
// killed: node keep-index.mjs docs
import { setTimeout as sleep } from 'node:timers/promises'
import { followChanges, openDatabase } from '@tidemark/sync-core'

const [source = 'docs'] = process.argv.slice(2)
const {
  DATABASE_URL: database = '.tidemark/db',
  MEILI_URL: index = 'http://127.0.0.1:7700',
  MEILI_KEY = '',
} = process.env

/** What the index takes it keeps and does in order, so the cursor is never there before the pages that it stands for. */
async function send(method, path, body) {
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 10_000)) {
    try {
      const response = await fetch(new URL(path, index), {
        method,
        headers: { 'content-type': 'application/json', ...(MEILI_KEY && { authorization: `Bearer ${MEILI_KEY}` }) },
        ...(body && { body: JSON.stringify(body) }),
      })
      if (response.status === 404) return null
      if (response.ok) return await response.json()
      const problem = new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      if (response.status < 500) throw Object.assign(problem, { isFinal: true })
      throw problem
    } catch (error) {
      if (error.isFinal) throw error
      console.error(`${error.message}; again in ${pauseMs} ms`)
      await sleep(pauseMs)
    }
  }
}

const saveCursor = (cursor) => send('POST', 'indexes/cursors/documents?primaryKey=id', [{ id: source, cursor }])

/** Pages go by their ids, which stay when files are renamed: what comes twice is as if it came once. */
async function apply({ changes, cursor }) {
  const deleted = changes.filter(({ change }) => change === 'delete').map(({ pageId }) => pageId)
  const pages = changes.flatMap(({ pageId, path, page }) =>
    page ? [{ id: pageId, path, title: page.title, content: page.content }] : [],
  )
  if (pages.length > 0) await send('POST', `indexes/${source}/documents?primaryKey=id`, pages)
  if (deleted.length > 0) await send('POST', `indexes/${source}/documents/delete-batch`, deleted)
  await saveCursor(cursor)
}

const db = await openDatabase(database)
for (;;) {
  const after = (await send('GET', `indexes/cursors/documents/${source}`))?.cursor ?? '0'
  // Who begins anew is not told what was deleted before.
  if (after === '0') await send('DELETE', `indexes/${source}/documents`)
  try {
    for await (const list of followChanges(db, source, { after, limit: 200, content: true })) await apply(list)
  } catch (error) {
    if (error.code !== 'CURSOR_EXPIRED') throw error
    await saveCursor('0')
  }
}
