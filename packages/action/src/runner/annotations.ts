import * as core from '@actions/core'
import { type Note, type Problem, type RunResult, resultNotes } from '@tidemark/sync-core'
import { actionStep } from './action-step.ts'
import { oneLine } from './log.ts'

/** What is shown where people look first: with the run and its commit. */
export interface Annotation {
  readonly level: Note['severity']
  readonly title: string
  readonly message: string
}

/** What someone should know of how a run ended, or do about it. */
export function resultAnnotations(result: RunResult): Annotation[] {
  const { source } = result
  const notes = resultNotes(result).map(({ severity, title, ...problem }) => ({
    level: severity,
    title: `${source}: ${title}`,
    message: problemSentence(problem),
  }))
  const unindexed = result.warnings.filter(({ code }) => code === 'search_behind')
  return [
    ...notes,
    ...unindexed.map(({ message }) => ({
      level: 'warning' as const,
      title: `${source}: the search index is incomplete`,
      message,
    })),
  ]
}

/** A problem and its next step on one line, in the words of the Action. */
export function problemSentence({ message, nextStep }: Problem): string {
  const isCommand = nextStep.startsWith('tidemark ')
  const between = message.endsWith(':') ? ' ' : isCommand ? '. Run once: ' : '. '
  return actionStep(`${message}${between}${nextStep}`)
}

export function annotate(annotations: readonly Annotation[]): void {
  const show = { notice: core.notice, warning: core.warning, error: core.error }
  for (const { level, title, message } of annotations)
    show[level](oneLine(message), { title: oneLine(`tidemark: ${title}`) })
}
