import type { Command } from 'commander'

/** The work of a command: its arguments, its options, the command; a number that it returns is the exit code. */
type Action<Args extends unknown[]> = (...args: [...Args, Command]) => unknown

/** An action whose module is loaded when the command is run: help and completion need none of it. */
export function lazy<Args extends unknown[]>(load: () => Promise<{ default: Action<Args> }>) {
  return async (...args: [...Args, Command]): Promise<void> => {
    const { verbose } = (args.at(-1) as Command).optsWithGlobals()
    if (verbose) (await import('../show/trace.ts')).traceToStderr()
    const { default: action } = await load()
    const code = await action(...args)
    process.exitCode = typeof code === 'number' ? code : 0
  }
}
