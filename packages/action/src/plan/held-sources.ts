import type { LockState } from '@tidemark/lock'
import { type Database, holderText } from '@tidemark/sync-core'
import prettyMs from 'pretty-ms'

/**
 * The sources that someone is at, with who that is: a job for one of them would only wait, and the next wave's would
 * take its place there and cancel it.
 *
 * @param options.embeds whether jobs embed, so that one that is still at that counts too.
 */
export async function readHeldSources(
  db: Database,
  { embeds }: { readonly embeds: boolean },
): Promise<Map<string, string>> {
  const tasks = ['search', ...(embeds ? ['embed'] : []), 'sync']
  const locks = (await Promise.all(tasks.map((task) => db.locks.list({ prefix: `${task}:` })))).flat()
  const held = locks.filter(({ holder }) => holder !== null)
  return new Map(held.map((lock) => [lock.key.slice(lock.key.indexOf(':') + 1), holderSentence(lock)]))
}

const DOING: Readonly<Record<string, string>> = { sync: 'syncs', search: 'indexes', embed: 'embeds' }

function holderSentence({ key, holder, heldForMs }: LockState): string {
  const doing = DOING[key.slice(0, key.indexOf(':'))]
  return `${holderText(holder!)} ${doing} it, for ${prettyMs(heldForMs, { secondsDecimalDigits: 0, unitCount: 2 })}`
}
