import Table from 'cli-table3'
import type { Check } from './ground/part.ts'

/** The promises as a table, and the totals as the last line, alone. */
export function showChecks(checks: readonly Check[]): string {
  const table = new Table({
    head: ['promise', 'seen', ''],
    colWidths: [64, 40, 10],
    style: { head: [], border: [] },
    wordWrap: true,
  })
  for (const { promise, seen, kept } of checks) table.push([promise, seen, kept ? 'kept' : 'NOT KEPT'])
  const failed = checks.filter(({ kept }) => !kept).length
  return `${table}\n${checks.length - failed} passed, ${failed} failed`
}
