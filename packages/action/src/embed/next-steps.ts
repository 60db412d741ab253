import type { EmbedResult } from '@tidemark/sync-core'
import { busyStep, failedStep, type NextStep, partialStep } from '../job/next-step.ts'
import { tellLeft } from '../job/runs-left.ts'
import { warningOf } from '../job/warning-of.ts'

/** What is to be said of a result; several things where texts were refused as well. */
export function nextSteps(result: EmbedResult): NextStep[] {
  const { source, chunksQuarantined } = result
  const steps = [ofStatus(result)]
  if (chunksQuarantined > 0) {
    steps.push({
      level: 'warning',
      title: `${source}: ${chunksQuarantined} ${chunksQuarantined === 1 ? 'text was' : 'texts were'} refused`,
      message: 'What else was embedded is in. Why: SELECT model, message FROM tidemark.embedding_quarantine',
    })
  }
  return steps.filter((step) => step !== null)
}

/** Null where all is well. */
function ofStatus(result: EmbedResult): NextStep | null {
  const { source } = result
  switch (result.status) {
    case 'partial': {
      const done = result.chunksEmbedded + result.chunksQuarantined
      return partialStep(result, tellLeft(result.chunksRemaining, done, 'texts'))
    }
    case 'busy':
      return busyStep(result, 'embedding')
    case 'blocked_by_failures':
      return {
        level: 'error',
        title: `${source} is blocked by failures`,
        message: `${warningOf(result, 'too_many_failures')} See tidemark.embedding_quarantine; then run once: tidemark embed --source ${source} --retry-quarantined`,
      }
    case 'failed':
      return failedStep(result)
    default:
      return null
  }
}
