/**
 * Parses what it is sent, one file after another. A thread, in the same module so that a bundle has one file to put
 * beside itself, ends the process with its parent and tells when a file has taken its processor time, or its memory:
 * parsing never yields, and that time, unlike a clock's, does not pass while the machine sleeps or the process is
 * stopped. Most of the memory is not JavaScript's, whose own limit does not hold it.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ignoreTerminalSignals, openParentPipe, PARENT_PIPE } from '../exit-with-parent.ts'
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

/** Sent to the thread when a file is begun, and null when it is done. Requests count from 1, in the parent too. */
type Begun = { readonly request: number; readonly cpuBefore: NodeJS.CpuUsage }

/** What one file may take. */
export interface ParseLimits {
  /** Of processor time. */
  readonly timeLimitMs: number
  /** Of the whole process. */
  readonly memoryLimitBytes: number
}

export type ExceededLimit = 'time' | 'memory'

/** Within which a file takes less than half a gigabyte more. */
const CHECK_MS = 50

if (isMainThread) await answerRequests()
else watchRequests(workerData)

async function answerRequests(): Promise<void> {
  ignoreTerminalSignals()
  const watch = new Worker(new URL(import.meta.url), { workerData: JSON.parse(process.argv[2]!) })
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
    // The parent may have been killed, which the pipe notices.
    process.send!(reply, () => {})
  })
}

function watchRequests({ timeLimitMs, memoryLimitBytes }: ParseLimits): void {
  const parent = openParentPipe(PARENT_PIPE, () => process.kill(process.pid, 'SIGKILL'))
  let timer: NodeJS.Timeout | undefined
  const check = (begun: Begun) => {
    const { user, system } = process.cpuUsage(begun.cpuBefore)
    const spent = (user + system) / 1_000 >= timeLimitMs
    const exceeded: ExceededLimit | null =
      process.memoryUsage.rss() > memoryLimitBytes ? 'memory' : spent ? 'time' : null
    if (exceeded !== null) parent.write(`${exceeded}:${begun.request}`)
    else timer = setTimeout(check, CHECK_MS, begun)
  }
  parentPort!.on('message', (begun: Begun | null) => {
    clearTimeout(timer)
    if (begun) check(begun)
  })
}
