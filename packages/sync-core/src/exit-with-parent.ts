import { Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

/** The file descriptor of the pipe to the parent in every process that `forkSibling` starts. */
export const PARENT_PIPE = 4

type ParentWatch = Readonly<Record<'parentPipe' | 'graceMs', number>>

/**
 * Ends this process with its parent, also in the middle of a statement that keeps its main thread busy: a thread watches.
 *
 * @param parentPipe file descriptor of a pipe whose other end the parent holds.
 * @param onParentExit called before the process is killed `graceMs` later.
 */
export function exitWithParent(parentPipe: number, graceMs = 0, onParentExit: () => void = () => {}): void {
  const watch = new Worker(new URL(import.meta.url), { workerData: { parentPipe, graceMs } satisfies ParentWatch })
  watch.on('message', onParentExit).unref()
}

/** A pipe to the parent; the kernel closes its other end when the parent ends, however it ends. */
export function openParentPipe(fd: number, onParentExit: () => void): Socket {
  return new Socket({ fd })
    .on('error', () => {})
    .on('close', onParentExit)
    .resume()
}

/** What a terminal or a supervisor sends to all processes of a command is for the parent, which ends this one. */
export function ignoreTerminalSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

// The thread itself; other threads that load this module have other data.
if (!isMainThread && workerData?.parentPipe !== undefined) {
  const { parentPipe, graceMs } = workerData as ParentWatch
  openParentPipe(parentPipe, () => {
    parentPort!.postMessage('parent exited')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), graceMs)
  })
}
