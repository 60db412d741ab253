import type { SyncResult } from '@tidemark/sync-core'
import { busyStep, failedStep, type NextStep, partialStep } from '../job/next-step.ts'
import { tellLeft } from '../job/runs-left.ts'
import { warningOf } from '../job/warning-of.ts'
import { filesDone } from './files-done.ts'

/** What is to be said of a result; several things where files were set aside as well. */
export function nextSteps(result: SyncResult): NextStep[] {
  const { source, filesQuarantined } = result
  const steps = [ofStatus(result)]
  if (filesQuarantined > 0) {
    steps.push({
      level: 'warning',
      title: `${source}: ${filesQuarantined} ${filesQuarantined === 1 ? 'file was' : 'files were'} set aside`,
      message: `The rest is in. Why: SELECT path, message FROM tidemark.quarantine WHERE source_id = '${source}'`,
    })
  }
  return steps.filter((step) => step !== null)
}

/** Null where all is well. */
function ofStatus(result: SyncResult): NextStep | null {
  const { source } = result
  switch (result.status) {
    case 'partial':
      return partialStep(result, tellLeft(result.filesRemaining, filesDone(result), 'files'))
    case 'busy':
      return busyStep(result, 'syncing')
    case 'blocked':
      return {
        level: 'error',
        title: `${source} is blocked`,
        message: `${warningOf(result, 'mass_delete')} If that is meant, run once: tidemark sync --source ${source} --allow-mass-delete`,
      }
    case 'blocked_by_failures':
      return {
        level: 'error',
        title: `${source} is blocked by failures`,
        message: `${warningOf(result, 'too_many_failures')} Mend or exclude the files, or see tidemark.quarantine; then run once: tidemark sync --source ${source} --retry-quarantined`,
      }
    case 'failed':
      return failedStep(result)
    default:
      return null
  }
}
