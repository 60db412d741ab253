import * as core from '@actions/core'
import { type Note, type Problem, type RunResult, resultNotes } from '@tidemark/sync-core'
import { oneLine } from './log.ts'

/** What is shown where people look first: with the run and its commit. */
export interface Annotation {
  readonly level: Note['severity']
  readonly title: string
  readonly message: string
}

/** What someone should know of how a run ended, or do about it. */
export function resultAnnotations(result: RunResult): Annotation[] {
  return resultNotes(result).map(({ severity, title, ...problem }) => ({
    level: severity,
    title: `${result.source}: ${title}`,
    message: problemSentence(problem),
  }))
}

/** A problem and its next step on one line. */
export function problemSentence({ message, nextStep }: Problem): string {
  if (message.endsWith(':')) return `${message} ${nextStep}`
  return `${message}. ${nextStep.startsWith('tidemark ') ? 'Run once: ' : ''}${nextStep}`
}

export function annotate(annotations: readonly Annotation[]): void {
  const show = { notice: core.notice, warning: core.warning, error: core.error }
  for (const { level, title, message } of annotations)
    show[level](oneLine(message), { title: oneLine(`tidemark: ${title}`) })
}
