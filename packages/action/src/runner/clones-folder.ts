import { dirname, join, relative } from 'node:path'

/**
 * Where the clones of a step are kept. On a self-hosted runner, whose work tree stays for the next job and is cleaned by
 * `actions/checkout`, that is beside the work tree and not in it.
 */
export function clonesFolder(configured: string, env: NodeJS.ProcessEnv = process.env): string {
  const { RUNNER_ENVIRONMENT, GITHUB_WORKSPACE: workspace } = env
  if (RUNNER_ENVIRONMENT !== 'self-hosted' || !workspace) return configured
  const path = relative(workspace, configured)
  return path.startsWith('..') ? configured : join(dirname(workspace), '_tidemark', path)
}
