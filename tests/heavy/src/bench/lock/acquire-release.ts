import { type Contender, WORKERS } from './contender.ts'

/** Takes a key and gives it up. @returns how long that took. */
export async function acquireRelease({ name, take }: Contender, key: string): Promise<number> {
  const startedAt = performance.now()
  const release = await take(key)
  if (release === null) throw new Error(`${name}: "${key}" is not free`)
  await release()
  return performance.now() - startedAt
}

/** @returns how many leases a second all workers take and give up together, each on a key of its own. */
export async function leasesPerSecond(contender: Contender, timesEach: number): Promise<number> {
  const startedAt = performance.now()
  const work = async (key: string) => {
    for (let n = 0; n < timesEach; n++) await acquireRelease(contender, key)
  }
  await Promise.all(Array.from({ length: WORKERS }, (_, n) => work(`worker ${n}`)))
  return (WORKERS * timesEach * 1_000) / (performance.now() - startedAt)
}
