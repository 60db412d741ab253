import advisoryLock from 'advisory-lock'
import type { Contender } from './contender.ts'

export async function advisory(url: string): Promise<Contender> {
  const create = advisoryLock.default(url)
  return {
    name: 'advisory-lock',
    lacks: 'no expiry, no token, a connection a lock, not through a transaction pooler',
    async cycle() {
      const unlock = await create('cycle').tryLock()
      await unlock?.()
    },
    renew: null,
    take: async (key) => await create(key).lock(),
  }
}
