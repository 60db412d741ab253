/** The thread of an embedded database's process that ends it with the one that uses it, also in the middle of a statement. */
import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'

// The kernel closes the other end of this pipe when that process ends, however it ends.
new Socket({ fd: workerData as number })
  .on('error', () => {})
  .on('close', () => process.kill(process.pid, 'SIGKILL'))
  .resume()
