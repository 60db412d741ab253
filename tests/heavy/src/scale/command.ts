import { type CommandLine, runProcess, runTidemark, startProcess, TIDEMARK } from '../harness/process.ts'

export type Command = ReturnType<typeof createCommand>

/** `tidemark` in a folder with a `tidemark.yaml`, on a database. */
export function createCommand(cwd: string, databaseUrl: string, signal: AbortSignal) {
  const options = { cwd, env: { ...process.env, DATABASE_URL: databaseUrl }, signal }
  const line = (args: readonly string[]): CommandLine => [...TIDEMARK, ...args]
  return {
    start: (...args: string[]) => startProcess(line(args), options),
    run: (...args: string[]) => runProcess(line(args), options),
    async sync() {
      const run = await runTidemark(line(['sync', '--all', '--json']), options)
      signal.throwIfAborted()
      if (run.exitCode !== 0) throw new Error(`tidemark sync exited with ${run.exitCode}`)
      return run
    },
  }
}
