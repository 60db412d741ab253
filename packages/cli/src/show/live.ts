import type { Output } from './output.ts'

/** Shows how the runs of several sources get on, on standard error. */
export interface Live<Progress, Result> extends Disposable {
  progress(progress: Progress): void
  finished(result: Result): void
}

/** What is told of a run. */
export interface Telling<Progress, Result> {
  /** Where it is, for a line that is drawn anew. */
  line(progress: Progress): string
  /** What it is at, for lines that stay; null where there is nothing to tell. */
  step(progress: Progress): string | null
  /** How it ended, in a few words. */
  end(result: Result): string
}

export interface OfSource {
  readonly source: string
}

/** One live line a source on a terminal, plain lines elsewhere, nothing with `--json` or `--quiet`. */
export async function openLive<Progress extends OfSource, Result extends OfSource>(
  output: Output,
  telling: Telling<Progress, Result>,
): Promise<Live<Progress, Result>> {
  if (output.json || output.quiet) return { progress() {}, finished() {}, [Symbol.dispose]() {} }
  // Traces would be written across live lines.
  const terminal = !output.verbose && process.stderr.isTTY && process.env.TERM !== 'dumb' && !process.env.CI
  return terminal ? (await import('./live-lines.ts')).liveLines(telling) : plainLines(output, telling)
}

function plainLines<Progress extends OfSource, Result extends OfSource>(
  output: Output,
  { step, end }: Telling<Progress, Result>,
): Live<Progress, Result> {
  const steps = new Map<string, string>()
  return {
    progress(progress) {
      const now = step(progress)
      if (now === null || steps.get(progress.source) === now) return
      steps.set(progress.source, now)
      output.note(`${progress.source}: ${now}`)
    },
    finished: (result) => output.note(`${result.source}  ${end(result)}`),
    [Symbol.dispose]() {},
  }
}
