import { errorCode, errorProblem, exitCodeFromError, type Problem, redact } from '@tidemark/sync-core'
import { CommanderError } from 'commander'
import { isDocumentPrinted, printDocument } from './output/json-document.ts'
import { configureLog, logLine, logProblem, logsEvents } from './output/log.ts'
import { UsageError } from './usage-error.ts'

/**
 * Says what has kept a command from its result: on standard error, and with `--json` also as its one document.
 *
 * @param args of the command line, because it may be what could not be read
 * @returns the exit code
 */
export function reportError(error: unknown, args: readonly string[]): number {
  const isUsage = error instanceof CommanderError
  const flags = args.slice(0, args.includes('--') ? args.indexOf('--') : args.length)
  const logsJson = flags.some((flag, i) => flag === '--log=json' || (flag === 'json' && flags[i - 1] === '--log'))
  if (logsJson && !logsEvents()) configureLog({ log: 'json' })
  const { message, nextStep: hint } = isUsage ? usageProblem(error) : errorProblem(error)
  const code = isUsage ? BAD_USAGE : error instanceof UsageError ? usageCode(error) : errorCode(error)
  // The help that stands there says it already.
  if (!isUsage || error.code !== HELP_SHOWN) logProblem('error', { code, message, nextStep: hint })
  if (!isUsage && flags.includes('--verbose')) logStack(error)
  if (flags.includes('--json') && !isDocumentPrinted()) printDocument({ error: { code, message, hint } })
  if (isUsage) return 2
  return error instanceof UsageError ? error.exitCode : exitCodeFromError(error)
}

const BAD_USAGE = 'BAD_USAGE'
const HELP_SHOWN = 'commander.help'

function usageProblem({ code, message }: CommanderError): Problem {
  const nextStep = 'See what there is with: tidemark --help'
  if (code === HELP_SHOWN) return { message: 'there is no command', nextStep }
  // A line of its own is a suggestion. What was typed may be an address.
  const [text = '', suggestion = nextStep] = redact(message.replace(/^error: /, '')).split('\n')
  return { message: text, nextStep: suggestion }
}

/** What the user can change has the code of what is wrong with it, where that has one. */
const usageCode = ({ code, cause }: UsageError) => (cause === undefined ? code : errorCode(cause, code))

const logStack = (error: unknown) => {
  for (const line of redact(String((error as Error).stack)).split('\n')) logLine('debug', line)
}
