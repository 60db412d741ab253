import type { Command } from 'commander'
import type { Call } from '../call.ts'

/**
 * The action of a command from its work, which gets the call, the arguments and the options; a number that it returns
 * is the exit code. What the call needs is loaded when the command runs: help and completion need none of it, so works
 * load what is heavy, such as sync-core, themselves.
 */
export function defineAction<Args extends unknown[]>(work: (call: Call, ...args: Args) => unknown) {
  return async (...args: [...Args, Command]): Promise<void> => {
    const command = args.pop() as Command
    const flags = command.optsWithGlobals()
    if (flags.verbose) (await import('../output/trace.ts')).traceToStderr()
    const { openCall } = await import('../call.ts')
    const code = await work(openCall(flags, commandWords(command)), ...(args as unknown as Args))
    process.exitCode = typeof code === 'number' ? code : 0
  }
}

/** `tidemark locks list` */
function commandWords(command: Command): string {
  return command.parent === null ? command.name() : `${commandWords(command.parent)} ${command.name()}`
}
