import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { isBasicExpression, isMapping, isSequence } from '@actions/workflow-parser'

/** What expressions may look into, as plain values. */
export type Contexts = Readonly<Record<string, unknown>>

/** What `success()`, `failure()` and `cancelled()` answer. */
export interface Status {
  readonly success: boolean
  readonly failure: boolean
  readonly cancelled: boolean
}

const SUCCESS: Status = { success: true, failure: false, cancelled: false }

/** A context in which a name that is not there is a mistake and not, as on GitHub, nothing: no linter knows its names. */
const STRICT = new Set(['matrix'])

/** The value of an expression without its braces. */
export function evaluate(expression: string, contexts: Contexts, status = SUCCESS): unknown {
  const functions = Object.entries({ ...status, always: true }).map(([name, value]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  }))
  const { tokens } = new Lexer(expression).lex()
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse()
  const pairs = Object.entries(contexts).map(([key, value]) => ({ key, value: toData(value, STRICT.has(key)) }))
  const calls = new Map(functions.map((each) => [each.name, each]))
  const result = new Evaluator(parsed, new data.Dictionary(...pairs), calls).evaluate()
  return JSON.parse(JSON.stringify(result, data.replacer))
}

/** A part of a workflow with its expressions evaluated; undefined where there is no such part. */
export function resolve(token: any, contexts: Contexts, status = SUCCESS): any {
  if (token === undefined) return undefined
  if (isBasicExpression(token)) return evaluate(token.expression, contexts, status)
  if (isSequence(token)) return Array.from({ length: token.count }, (_, i) => resolve(token.get(i), contexts, status))
  if (isMapping(token)) {
    const pairs = Array.from({ length: token.count }, (_, i) => token.get(i))
    return Object.fromEntries(pairs.map(({ key, value }) => [String(key), resolve(value, contexts, status)]))
  }
  return token.toJSON()
}

/** A mapping whose values are texts: variables, inputs of an action, outputs. */
export function resolveTexts(token: any, contexts: Contexts): Record<string, string> {
  const values = Object.entries<unknown>(resolve(token, contexts) ?? {})
  return Object.fromEntries(values.map(([name, value]) => [name, toText(value)]))
}

/** A value as an expression in a text shows it. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? (Array.isArray(value) ? 'Array' : 'Object') : String(value)
}

class Strict extends data.Dictionary {
  override get(key: string) {
    const value = super.get(key)
    if (value === undefined) throw new Error(`there is no ${key}`)
    return value
  }
}

function toData(value: unknown, strict: boolean): data.ExpressionData {
  if (typeof value !== 'object' || value === null) return data.reviver('', value ?? null) as data.ExpressionData
  if (Array.isArray(value)) return new data.Array(...value.map((each) => toData(each, strict)))
  const pairs = Object.entries(value).map(([key, each]) => ({ key, value: toData(each, strict) }))
  return strict ? new Strict(...pairs) : new data.Dictionary(...pairs)
}
