import type { SyncResult } from '@tidemark/sync-core'
import { runsLeft } from './runs-left.ts'

/** What someone should know of a result, or do about it; null where all is well. */
export interface NextStep {
  readonly level: 'notice' | 'warning' | 'error'
  readonly title: string
  readonly message: string
}

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

function ofStatus(result: SyncResult): NextStep | null {
  const { source } = result
  switch (result.status) {
    case 'partial':
      return {
        level: 'notice',
        title: `${source} is partial (${result.reason})`,
        message: `${leftOf(result)} What is in stays in; the next run goes on from there.`,
      }
    case 'busy':
      return {
        level: 'warning',
        title: `${source} is busy`,
        message: `Process ${result.holder.pid} on ${result.holder.host} is syncing it. The next wave looks again.`,
      }
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
      return {
        level: 'error',
        title: `${source} failed (${result.reason})`,
        message: `${result.error.message}. ${result.error.hint}`,
      }
    default:
      return null
  }
}

function warningOf({ warnings }: SyncResult, code: string): string {
  return warnings
    .filter((warning) => warning.code === code)
    .map(({ message }) => `${message}.`)
    .join(' ')
}

function leftOf(result: SyncResult): string {
  if (result.filesRemaining === null) return 'It stopped before it knew how much there is.'
  const runs = runsLeft(result)
  const more = runs === null ? '' : `, about ${runs} more ${runs === 1 ? 'run' : 'runs'} like this one`
  return `${result.filesRemaining} files are left${more}.`
}
