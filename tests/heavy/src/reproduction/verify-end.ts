import { sum } from '../harness/statistics.ts'
import type { EmbeddingService } from './embedding-service.ts'
import type { Policy } from './policies/policy.ts'
import type { PolicyEnd } from './policy-record.ts'
import type { Refs } from './refs.ts'

/**
 * What a policy's database holds in the end. Ours runs once more before, undisturbed: then every page has to be what the
 * ref has. The old one's may be of its bookmark or of anything since.
 */
export async function verifyEnd(policy: Policy, refs: Refs, embedding: EmbeddingService): Promise<PolicyEnd> {
  const { observer, finish, name } = policy
  const done = await observer.snapshot()
  const unembedded = await observer.countUnembedded()
  for (const id of refs.ids) await observer.setPageMs(id, 0)
  await finish?.()
  let wrongPages = 0
  for (const [id, { pages, bookmark }] of await observer.snapshot()) {
    const [history, newest] = [refs.history(id), refs.countArrived(id)]
    const oldest = finish ? newest : history.indexOf(bookmark)
    wrongPages += history.differences(pages, oldest, newest).length
    wrongPages += history.differences(await observer.contents(id), oldest, newest).length
  }
  const total = (key: 'stored' | 'storedAgain' | 'bytes') => sum([...done.values()].map((source) => source[key]))
  return {
    stored: total('stored'),
    storedAgain: total('storedAgain'),
    bytes: total('bytes'),
    embedded: embedding.textsOf(name),
    unembedded,
    wrongPages,
  }
}
