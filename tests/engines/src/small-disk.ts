import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** A mount namespace of its own, in which also an ordinary user may mount; it ends with its last process. */
const NAMESPACE = ['-rm', 'sh', '-c', 'mount -t tmpfs -o size="$2" tmpfs "$1" && shift 2 && exec "$@"', 'sh']

/**
 * Runs a program that finds a disk of that size in a folder, and nobody else does; what runs there may resize it with
 * `mount -o remount,size=…`.
 *
 * @returns what it has printed.
 */
export async function onSmallDisk(
  folder: string,
  size: string,
  program: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<string> {
  return (await execa('unshare', [...NAMESPACE, folder, size, ...program], { env, stderr: 'inherit' })).stdout
}

/** Whether this machine lets a process have mounts of its own; many containers do not. */
export function hasSmallDisks(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-disk-'))
  try {
    execFileSync('unshare', [...NAMESPACE, folder, '1m', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('Skipped: the tests of a full disk, which need "unshare -rm" to be allowed.')
    return false
  } finally {
    rmdirSync(folder)
  }
}
