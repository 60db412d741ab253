import type { Address } from './address.ts'

/**
 * It asks nobody. A server that is silent for 45 s is given up by ssh itself, also after this process was killed: before
 * another process can have the lease, and with it the clone.
 */
const DEFAULT_SSH = 'ssh -oBatchMode=yes -oConnectTimeout=30 -oServerAliveInterval=15 -oServerAliveCountMax=3'

/**
 * How ssh is run for a server: as the user has told git, by the environment or any configuration; else by options of
 * ours. Any of them would count for nothing beside GIT_SSH_COMMAND, so that is set only where none is there.
 *
 * @param environment of the git that is to run ssh, in that folder.
 */
export async function sshEnvironment(
  folder: string,
  { url }: Address,
  environment: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  const { GIT_SSH_COMMAND, GIT_SSH } = environment
  // For what git rewrites to ssh by its insteadOf, it is left at git's own: asking each time would slow all others down.
  if (/^(https?|file):/.test(url) || GIT_SSH_COMMAND !== undefined || GIT_SSH !== undefined) return {}
  const { execa } = await import('execa')
  const options = { cwd: folder, env: environment, cleanup: false, reject: false } as const
  const { exitCode } = await execa('git', ['config', '--get', 'core.sshCommand'], options)
  return exitCode === 0 ? {} : { GIT_SSH_COMMAND: DEFAULT_SSH }
}
