import { fork } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { PARENT_PIPE } from './exit-with-parent.ts'

/**
 * Starts another module of the same folder as a process: built code, or source where types are stripped. Returns it with
 * our end of the pipe by which it knows that we are there. It has `files` open too, after {@link PARENT_PIPE}.
 */
export function forkSibling(url: string, name: string, args: readonly string[], files: readonly number[] = []) {
  const child = fork(fileURLToPath(new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url)), args, {
    serialization: 'advanced',
    // By itself, glibc keeps what large buffers took once it has seen some of them.
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe', ...files],
  })
  const pipe = (child.stdio as readonly unknown[] as readonly Socket[])[PARENT_PIPE]!
  return { child, pipe: pipe.on('error', () => {}).unref() }
}
