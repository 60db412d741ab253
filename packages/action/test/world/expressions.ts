import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import {
  convertWorkflowTemplate,
  isBasicExpression,
  isMapping,
  isSequence,
  NoOperationTraceWriter,
  parseWorkflow,
} from '@actions/workflow-parser'

/** What expressions may look into, as plain values. */
export type Contexts = Readonly<Record<string, unknown>>

/** A workflow as GitHub's own parser understands it. @throws where that finds a mistake. */
export async function readWorkflow(name: string, content: string) {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  if (!value) throw new Error(`${name} is no workflow`)
  const template = await convertWorkflowTemplate(context, value)
  const mistakes = context.errors.getErrors().map(({ message }) => message)
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'))
  return { root: value.assertMapping(name), template }
}

/** A context in which a name that is not there is a mistake and not, as on GitHub, nothing. */
class Strict extends data.Dictionary {
  override get(key: string) {
    const value = super.get(key)
    if (value === undefined) throw new Error(`there is no ${key}`)
    return value
  }
}

function strictly(value: unknown): data.ExpressionData {
  if (typeof value !== 'object' || value === null) return data.reviver('', value ?? null)
  if (Array.isArray(value)) return new data.Array(...value.map(strictly))
  const pairs = Object.entries(value).map(([key, each]) => ({ key, value: strictly(each) }))
  return new Strict(...pairs)
}

/** The value of an expression without its braces. @param failed whether a step before it has failed */
export function evaluated(expression: string, contexts: Contexts, failed = false): unknown {
  const status = { success: !failed, always: true, failure: failed, cancelled: false }
  const functions = Object.entries(status).map(([name, told]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(told),
  }))
  const { tokens } = new Lexer(expression).lex()
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse()
  const root = strictly(contexts) as data.Dictionary
  const calls = new Map(functions.map((each) => [each.name, each]))
  const result = new Evaluator(parsed, root, calls).evaluate()
  return JSON.parse(JSON.stringify(result, data.replacer))
}

/** A part of a workflow with its expressions evaluated. */
export function resolved(token: any, contexts: Contexts): any {
  if (token === undefined) return undefined
  if (isBasicExpression(token)) return evaluated(token.expression, contexts)
  if (isSequence(token)) return Array.from({ length: token.count }, (_, i) => resolved(token.get(i), contexts))
  if (isMapping(token)) {
    const pairs = Array.from({ length: token.count }, (_, i) => token.get(i))
    return Object.fromEntries(pairs.map(({ key, value }) => [String(key), resolved(value, contexts)]))
  }
  return token.toJSON()
}
