import { expect, test } from 'vitest'
import { createLocks, type Queryable } from '../src/index.ts'

test.each([
  [{ listen: async () => {} }, true],
  [undefined, false],
])('locks notify others of what they free if they can listen themselves: %j', async (listen, notifies) => {
  const sent: string[] = []
  const db: Queryable = {
    async query(text) {
      sent.push(text)
      return { rows: [{ acquired: true, token: '1', released: true }] }
    },
  }
  const locks = createLocks(db, { listen })
  const lease = await locks.acquire('job')
  sent.length = 0
  await lease.release()
  await locks.requestResign('job')
  await locks.break('job', { force: true }).catch(() => {})
  expect(sent).toHaveLength(3)
  for (const text of sent) expect(text.includes("'tidemark_lock'")).toBe(notifies)
})
