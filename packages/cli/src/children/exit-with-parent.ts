import { Socket } from 'node:net'
import { parentPort } from 'node:worker_threads'

/** The pipe whose other end the parent holds: the kernel closes it when the parent ends, however it ends. */
const LIFELINE = 3
/** What the runs may take to stop as partial. */
const KILL_AFTER_MS = 5_000

new Socket({ fd: LIFELINE })
  .on('error', () => {})
  .on('close', () => {
    parentPort!.postMessage('gone')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), KILL_AFTER_MS)
  })
  .resume()
