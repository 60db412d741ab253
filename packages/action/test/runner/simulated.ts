import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from './job.ts'

type Simulated = (job: Job, inputs: Readonly<Record<string, string>>) => Record<string, string>

/** Actions of GitHub by what they leave behind, as nothing of them is on this machine. */
export const SIMULATED: Readonly<Record<string, Simulated>> = {
  'actions/checkout': (job, { repository, path = '' }) => {
    const folder = repository ? job.repositories.folder(repository) : job.repository
    cpSync(folder, join(job.workspace, path), { recursive: true })
    return {}
  },
  // Node is there, and nothing is in a cache.
  'actions/setup-node': () => ({ 'node-version': process.version }),
  'actions/cache': () => ({ 'cache-hit': '' }),
}
