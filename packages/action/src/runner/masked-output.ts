import { UsageError } from 'tidemark/config'
import type { StepContext } from './step-context.ts'

/**
 * Refuses what the runner would drop without a word as the output of a job, because something that it masks stands in it.
 *
 * @throws {UsageError}
 */
export function refuseMasked({ secrets }: Pick<StepContext, 'secrets'>, output: string, text: string): void {
  if (!secrets.some((secret) => text.includes(secret))) return
  throw new UsageError(
    `a password, token or key that you use, or a line of it, also stands in the output ${output}, as the name of a source or part of it`,
    'GitHub passes on no output that holds a secret: change the secret, or the name.',
  )
}
