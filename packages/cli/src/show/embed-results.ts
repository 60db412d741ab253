import type { EmbedResult, GcResult } from '@tidemark/sync-core'
import { statusOf, tellEnding } from './endings.ts'
import type { Output } from './output.ts'
import { table } from './table.ts'
import { duration } from './words.ts'

/** Shows how embedding ended, or what it would take: a table, and below it what someone should know or do. */
export function showEmbedResults(results: readonly EmbedResult[], output: Output): void {
  const draw = results.some(({ estimate }) => estimate !== undefined) ? estimates : endings
  if (!output.quiet) output.print(draw(results, output))
  for (const result of results) {
    tellEnding(result, output, 'embed')
    if (result.chunksQuarantined > 0 && result.status !== 'blocked_by_failures')
      output.note(
        `tidemark: ${result.source}: the server refused ${result.chunksQuarantined} chunks; see tidemark.embedding_quarantine`,
      )
  }
}

function endings(results: readonly EmbedResult[], output: Output): string {
  const rows = results.map((result) => [
    result.source,
    statusOf(result, output),
    String(result.chunksEmbedded),
    String(result.chunksQuarantined),
    left(result),
    String(result.tokens),
    duration(result.elapsedMs),
  ])
  return table(['source', 'status', 'embedded', 'set aside', 'left', 'tokens', 'time'], rows)
}

/** Without costs where no price is known to reckon them by. */
function estimates(results: readonly EmbedResult[], output: Output): string {
  const priced = results.some(({ estimate }) => estimate && estimate.cost !== null)
  const rows = results.map((result) => {
    const { tokens, cost } = result.estimate ?? { tokens: null, cost: null }
    const known = [result.source, statusOf(result, output), left(result), tokens === null ? '?' : `≈ ${tokens}`]
    return priced ? [...known, cost === null ? '?' : `≈ ${cost.toFixed(4)}`] : known
  })
  return table(['source', 'status', 'chunks', 'tokens', ...(priced ? ['cost'] : [])], rows)
}

const left = ({ chunksRemaining }: EmbedResult) => (chunksRemaining === null ? '?' : String(chunksRemaining))

/** Shows what was collected, or would be. */
export function showCollected({ embeddings, models }: GcResult, dryRun: boolean, output: Output): void {
  if (output.quiet) return
  const sets = models.length === 0 ? '' : `, among them all of ${models.join(', ')}`
  output.print(`${dryRun ? 'Would remove' : 'Removed'} ${embeddings} embeddings that nothing needs any more${sets}.`)
}
