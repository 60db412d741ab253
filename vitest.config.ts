import { readFileSync, statfsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// The tests make a thousand small files for each embedded database and some for each repository: where there is a disk in
// memory, that takes a tenth of the time. A container's may be small, or one on which no program may be run.
const MEMORY = '/dev/shm'
const MIN_BYTES = 4 * 1024 ** 3
function hasRoomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return (
      bavail * bsize >= MIN_BYTES && !/^\S+ \/dev\/shm \S+ \S*\bnoexec\b/m.test(readFileSync('/proc/mounts', 'utf8'))
    )
  } catch {
    return false
  }
}
if (hasRoomInMemory()) process.env.TMPDIR ??= MEMORY

export default defineConfig({
  // What it warns of are source maps of packages.
  logLevel: 'error',
  test: {
    include: ['packages/*/test/**/*.test.ts', 'tests/*/test/**/*.test.ts'],
    globalSetup: ['./tests/engines/src/global-setup.ts'],
    // The second is for programs: .ci/run takes its totals from it.
    reporters: ['default', ['json', { outputFile: 'test-results/vitest.json' }]],
    // It imports JSON in a way that Node refuses.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
    pool: 'forks',
    // One more than the least machine has cores: many tests wait, for a budget, a lease or a process that is to end.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
})
