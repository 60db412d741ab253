import advisoryLock from 'advisory-lock'
import type { Contender } from './contender.ts'

export async function advisory(url: string): Promise<Contender> {
  const create = advisoryLock.default(url)
  return {
    name: 'advisory-lock',
    caveats: 'no expiry, no token, a connection a lock, not through a transaction pooler',
    table: null,
    take: async (key) => (await create(key).tryLock()) ?? null,
    wait: (key) => create(key).lock(),
    renew: null,
  }
}
