import * as core from '@actions/core'
import type { Annotation } from './annotations.ts'
import { oneLine } from './log.ts'

/** Adds a section to the summary of the job; does nothing where the runner has none. */
export async function writeSummary(
  heading: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  annotations: readonly Annotation[] = [],
): Promise<void> {
  if (!process.env.GITHUB_STEP_SUMMARY) return
  const cells = (row: readonly string[], header: boolean) => row.map((text) => ({ data: escaped(text), header }))
  core.summary.addHeading(heading, 3)
  if (rows.length > 0) core.summary.addTable([cells(head, true), ...rows.map((row) => cells(row, false))])
  const notes = annotations.map(({ title, message }) => escaped(`${title}: ${message}`))
  if (notes.length > 0) core.summary.addList(notes)
  await core.summary.write()
}

/** A message may quote what stands in a repository, and the summary is HTML on one line. */
function escaped(text: string): string {
  return oneLine(text).replaceAll(/\s+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
