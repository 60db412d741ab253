import { readFileSync } from 'node:fs'
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { convertActionTemplate, parseAction } from '@actions/workflow-parser/actions/index'
import { ensureStatusFunction } from '@actions/workflow-parser/model/converter/if-condition'

/** A workflow as GitHub's own parser understands it: a mapping of tokens. @throws where that finds a mistake */
export async function readWorkflow(name: string, content = readFileSync(name, 'utf8')): Promise<any> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  if (value) await convertWorkflowTemplate(context, value)
  return withoutMistakes(name, context, value)
}

/** An action's metadata, the same way. */
export function readAction(name: string): any {
  const { context, value } = parseAction({ name, content: readFileSync(name, 'utf8') }, new NoOperationTraceWriter())
  if (value) convertActionTemplate(context, value)
  return withoutMistakes(name, context, value)
}

function withoutMistakes(name: string, context: any, value: any) {
  const mistakes = context.errors.getErrors().map(({ message }: Error) => message)
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'))
  return value.assertMapping(name)
}

/** The expression of an `if`, with the `success()` that GitHub adds where it names no status. */
export function condition(token: any): string {
  if (token === undefined) return 'success()'
  return ensureStatusFunction(token.expression ?? String(token).trim(), token.definitionInfo)
}

/** A value of a mapping; undefined where there is none. */
export function get(mapping: any, ...path: string[]): any {
  return path.reduce((token, name) => entries(token).find(([key]) => key === name)?.[1], mapping)
}

/** The names and values of a mapping; none where there is no mapping. */
export function entries(mapping: any): [string, any][] {
  if (mapping?.count === undefined) return []
  return Array.from({ length: mapping.count }, (_, i) => [String(mapping.get(i).key), mapping.get(i).value])
}

/** What a sequence holds; a single value is one of itself. */
export function items(sequence: any): any[] {
  if (sequence === undefined) return []
  if (sequence.count === undefined) return [sequence]
  return Array.from({ length: sequence.count }, (_, i) => sequence.get(i))
}
