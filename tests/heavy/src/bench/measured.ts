import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

/**
 * Runs a measurement in a process of its own, so that memory, event loop and what is loaded are its own.
 *
 * @returns the JSON that it prints.
 */
export async function measured<Figures>(
  program: URL,
  args: readonly (string | number)[],
  signal: AbortSignal,
): Promise<Figures> {
  const { stdout } = await execa(process.execPath, [fileURLToPath(program), ...args.map(String)], {
    cancelSignal: signal,
    stderr: 'inherit',
  })
  return JSON.parse(stdout)
}
