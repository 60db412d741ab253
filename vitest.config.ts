import { defineConfig } from 'vitest/config'

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
