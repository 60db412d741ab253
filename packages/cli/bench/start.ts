/**
 * How long a command takes that has nothing to do, process and all: `npm run bench -w packages/cli`. Each figure is
 * the median of so many runs, and beside it how often `node -e 0` would fit into it: a machine that has other work to
 * do is slower at both.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPostgresServer } from '@tidemark/test-engines/postgres-server'

const RUNS = 15
const BIN = fileURLToPath(new URL('../bin/tidemark.js', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'tidemark-start-'))
const server = await startPostgresServer()
try {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], { cwd: folder })
  git('init', '-q', '-b', 'main', 'docs')
  writeFileSync(join(folder, 'docs', 'a.md'), '# a')
  git('-C', 'docs', 'add', '.')
  git('-C', 'docs', 'commit', '-qm', 'first')
  writeFileSync(join(folder, 'tidemark.yaml'), 'sources: { docs: { repo: docs } }')

  const run = (args: readonly string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, env: { ...process.env, DATABASE_URL: server.url } })
  run([BIN, 'sync', '--all', '--quiet'])
  const rows = {
    'node -e 0': ['-e', '0'],
    'tidemark --version': [BIN, '--version'],
    'tidemark sync --all, nothing new': [BIN, 'sync', '--all', '--quiet'],
  }
  let floorMs = Number.NaN
  const table = Object.entries(rows).map(([what, args]) => {
    const ms = medianMs(() => run(args))
    if (what === 'node -e 0') floorMs = ms
    return {
      what,
      ms: Math.round(ms),
      'over node -e 0': Math.round(ms - floorMs),
      times: +(ms / floorMs).toFixed(1),
    }
  })
  console.table(table)
} finally {
  await server.stop()
  rmSync(folder, { recursive: true })
}

function medianMs(work: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    const started = performance.now()
    work()
    return performance.now() - started
  })
  return times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!
}
