import * as core from '@actions/core'
import type { NextStep } from './next-step.ts'

/** Shows what is to be said where people look first: with the run and its commit. */
export function annotate(steps: readonly NextStep[]): void {
  const say = { notice: core.notice, warning: core.warning, error: core.error }
  for (const { level, title, message } of steps) say[level](message, { title: `tidemark: ${title}` })
}
