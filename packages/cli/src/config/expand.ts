import { isScalar, visit } from 'yaml'
import { UsageError } from '../usage-error.ts'
import type { ConfigDocument } from './document.ts'

/**
 * Puts the values of variables in the place of `${NAME}` and `${NAME:-default}` in every value of a document; keys
 * stay as they are. As in a shell, the default also stands for a variable that is empty.
 *
 * @throws {UsageError} naming the place and the variable where one without a default is not set.
 */
export function expandVariables({ doc, at }: ConfigDocument, env: NodeJS.ProcessEnv): void {
  visit(doc, {
    Scalar(key, node) {
      if (key === 'key' || !isScalar(node) || typeof node.value !== 'string') return
      node.value = expandText(node.value, env, () => at(node.range?.[0] ?? 0))
    },
  })
}

/** The same of one text. @param where names it in an error */
export function expandText(text: string, env: NodeJS.ProcessEnv, where: () => string): string {
  return text.replace(/\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g, (_, name: string, fallback: string | undefined) => {
    const value = fallback === undefined ? env[name] : env[name] || fallback
    if (value !== undefined) return value
    throw new UsageError(
      `${where()}: the variable ${name} is not set`,
      `Set it, write \${${name}:-default}, or write the value in its place.`,
    )
  })
}
