/**
 * The process that {@link startParser} starts: parses what it is sent, one file after another. A thread watches over
 * it, because parsing leaves no turn for anything else: it ends the process with its parent, and tells when a file has
 * taken all the processor time that it may. That, unlike a clock's time, does not pass while the machine sleeps, others
 * keep it busy, or someone has stopped the process.
 *
 * Process and thread are one module, so that a bundle has one file to put beside itself.
 */
import { Socket } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { Page } from './parse-page.ts'
import type { Unstorable } from './unstorable.ts'

export interface ParseRequest {
  readonly path: string
  readonly bytes: Uint8Array
}

export type ParseReply =
  | { readonly page: Page }
  | { readonly refused: Unstorable['code']; readonly message: string }
  | { readonly fault: string }

/** What the thread is told when a file is begun, and null when it is done. */
interface Begun {
  /** Counted from 1, as the parent counts too. */
  readonly request: number
  readonly cpuBefore: NodeJS.CpuUsage
}

interface Watch {
  /** File descriptor of the pipe to the parent. */
  readonly pipe: number
  readonly timeLimitMs: number
}

/** How soon a file that had little left and has got no processor meanwhile is looked at again. */
const MIN_LOOK_MS = 50

if (isMainThread) await answerRequests()
else watchRequests(workerData as Watch)

async function answerRequests(): Promise<void> {
  // What a terminal or a supervisor sends to all of a command's processes is for the one that has started this one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const [pipe, timeLimitMs] = process.argv.slice(2).map(Number)
  const watch = new Worker(new URL(import.meta.url), { workerData: { pipe, timeLimitMs } })
  watch.unref()
  const { parsePage } = await import('./parse-page.ts')
  const { Unstorable } = await import('./unstorable.ts')
  const parse = (path: string, bytes: Buffer): ParseReply => {
    try {
      return { page: parsePage(path, bytes) }
    } catch (error) {
      if (error instanceof Unstorable) return { refused: error.code, message: error.message }
      return { fault: String((error as Error).stack) }
    }
  }
  let request = 0
  process.on('message', ({ path, bytes }: ParseRequest) => {
    watch.postMessage({ request: ++request, cpuBefore: process.cpuUsage() } satisfies Begun)
    const reply = parse(path, Buffer.from(bytes))
    watch.postMessage(null)
    // Who has asked may have been killed meanwhile; the pipe tells that.
    process.send!(reply, () => {})
  })
}

function watchRequests({ pipe, timeLimitMs }: Watch): void {
  // The kernel closes the other end of this pipe when the parent ends, however it ends.
  const parent = new Socket({ fd: pipe })
    .on('error', () => {})
    .on('close', () => process.kill(process.pid, 'SIGKILL'))
    .resume()
  let timer: NodeJS.Timeout | undefined
  const look = (begun: Begun) => {
    const { user, system } = process.cpuUsage(begun.cpuBefore)
    const leftMs = timeLimitMs - (user + system) / 1_000
    if (leftMs <= 0) parent.write(String(begun.request))
    else timer = setTimeout(look, Math.max(leftMs, MIN_LOOK_MS), begun)
  }
  parentPort!.on('message', (begun: Begun | null) => {
    clearTimeout(timer)
    if (begun) look(begun)
  })
}
