import type { PlannedChange } from '@tidemark/sync-core'
import type { Output } from './output.ts'

/** How many of a kind are shown where not all of them are asked for. */
const SHOWN = 20

const KINDS = {
  add: ['+', 'green', 'to be added'],
  update: ['~', 'yellow', 'to be changed'],
  rename: ['→', 'cyan', 'to be renamed'],
  delete: ['−', 'red', 'to be deleted'],
  quarantine: ['!', 'magenta', 'to be set aside'],
} as const

/** Shows what a dry run would do, one file a line; of many of a kind only the first ones, all with `--verbose`. */
export function showPlan(source: string, changes: readonly PlannedChange[], output: Output): void {
  if (changes.length === 0) output.print(`${source}: nothing to do`)
  for (const [kind, [sign, style, words]] of Object.entries(KINDS)) {
    const alike = changes.filter(({ change }) => change === kind)
    if (alike.length === 0) continue
    output.print(`${source}: ${alike.length} ${words}`)
    for (const { path, from } of alike.slice(0, output.verbose ? undefined : SHOWN)) {
      output.print(output.paint(style, `  ${sign} ${from === undefined ? path : `${from} → ${path}`}`))
    }
    if (!output.verbose && alike.length > SHOWN)
      output.print(`  … and ${alike.length - SHOWN} more; --verbose shows all`)
  }
}
