import * as core from '@actions/core'
import type { Annotation } from './annotations.ts'
import { oneLine } from './log.ts'

/** A text, or one that leads somewhere. */
export type Cell = string | { readonly text: string; readonly href: string | null }

export interface Table {
  /** What it shows, where the heading does not say it. */
  readonly caption?: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** GitHub drops a summary of more than 1 MB. */
const MAX_ROWS = 500

/** Adds a section to the summary of the job; does nothing where the runner has none. */
export async function writeSummary(
  heading: string,
  {
    text,
    tables = [],
    annotations = [],
  }: {
    readonly text?: string
    readonly tables?: readonly Table[]
    readonly annotations?: readonly Annotation[]
  },
): Promise<void> {
  if (!process.env.GITHUB_STEP_SUMMARY) return
  core.summary.addHeading(heading, 3)
  if (text !== undefined) core.summary.addRaw(`<p>${escaped(text)}</p>`, true)
  for (const { caption, head, rows } of tables.filter(({ rows }) => rows.length > 0)) {
    if (caption !== undefined) core.summary.addRaw(`<p>${escaped(caption)}</p>`, true)
    const shown = rows.slice(0, MAX_ROWS).map((row) => row.map((cell) => ({ data: cellHtml(cell) })))
    core.summary.addTable([head.map((title) => ({ data: escaped(title), header: true })), ...shown])
    if (rows.length > MAX_ROWS) core.summary.addRaw(`<p>and ${rows.length - MAX_ROWS} more</p>`, true)
  }
  const notes = annotations.map(({ title, message }) => escaped(`${title}: ${message}`))
  if (notes.length > 0) core.summary.addList(notes)
  await core.summary.write()
}

function cellHtml(cell: Cell): string {
  if (typeof cell === 'string') return escaped(cell)
  const text = escaped(cell.text)
  return cell.href === null ? text : `<a href="${escaped(cell.href)}">${text}</a>`
}

/** A message may quote what stands in a repository, and the summary is HTML on one line. */
function escaped(text: string): string {
  return oneLine(text).replaceAll(/\s+/g, ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
