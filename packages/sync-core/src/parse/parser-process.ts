/**
 * The process that `startParser` starts: parses what it is sent, one file after another. A thread watches over it,
 * because parsing never yields to the event loop: it ends the process with its parent, and tells when a file has taken
 * all the processor time that it may. That, unlike a clock's time, does not pass while the machine sleeps, others keep
 * it busy, or someone has stopped the process.
 *
 * Process and thread are one module, so that a bundle has one file to put beside itself.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ignoreTerminalSignals, openParentPipe } from '../exit-with-parent.ts'
import type { Page } from './page.ts'
import type { QuarantineCode } from './quarantine-error.ts'

export interface ParseRequest {
  readonly path: string
  readonly bytes: Uint8Array
}

export type ParseReply =
  | { readonly page: Page }
  | { readonly quarantine: QuarantineCode; readonly message: string }
  | { readonly fault: string }

/** Sent to the thread when a file is begun, and null when it is done. */
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

/** How soon a file that had little time left and has got no processor meanwhile is checked again. */
const MIN_CHECK_MS = 50

if (isMainThread) await answerRequests()
else watchRequests(workerData as Watch)

async function answerRequests(): Promise<void> {
  ignoreTerminalSignals()
  const [pipe, timeLimitMs] = process.argv.slice(2).map(Number)
  const watch = new Worker(new URL(import.meta.url), { workerData: { pipe, timeLimitMs } })
  watch.unref()
  const { parsePage } = await import('./page.ts')
  const { QuarantineError } = await import('./quarantine-error.ts')
  const parse = (path: string, bytes: Buffer): ParseReply => {
    try {
      return { page: parsePage(path, bytes) }
    } catch (error) {
      if (error instanceof QuarantineError) return { quarantine: error.code, message: error.message }
      return { fault: String((error as Error).stack) }
    }
  }
  let request = 0
  process.on('message', ({ path, bytes }: ParseRequest) => {
    watch.postMessage({ request: ++request, cpuBefore: process.cpuUsage() } satisfies Begun)
    const reply = parse(path, Buffer.from(bytes))
    watch.postMessage(null)
    // The parent may have been killed meanwhile; the pipe tells that.
    process.send!(reply, () => {})
  })
}

function watchRequests({ pipe, timeLimitMs }: Watch): void {
  const parent = openParentPipe(pipe, () => process.kill(process.pid, 'SIGKILL'))
  let timer: NodeJS.Timeout | undefined
  const check = (begun: Begun) => {
    const { user, system } = process.cpuUsage(begun.cpuBefore)
    const leftMs = timeLimitMs - (user + system) / 1_000
    if (leftMs <= 0) parent.write(String(begun.request))
    else timer = setTimeout(check, Math.max(leftMs, MIN_CHECK_MS), begun)
  }
  parentPort!.on('message', (begun: Begun | null) => {
    clearTimeout(timer)
    if (begun) check(begun)
  })
}
