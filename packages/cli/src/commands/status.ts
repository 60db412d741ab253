import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { formatProblem } from '../output/format-problem.ts'
import type { ListedStatus } from '../output/json-outputs.ts'
import type { Output } from '../output/output.ts'
import { printStatusTable } from '../output/status-table.ts'
import { defineAction } from './define-action.ts'
import { parseDuration, refuseFlags } from './flags.ts'

/** Some source is not fresh or not whole. */
const EXIT_NOT_FRESH = 5

interface StatusFlags {
  readonly check?: boolean
  readonly maxStaleness?: number
}

/** `tidemark status`: where each source stands. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show the state of each source, and what is wrong with it')
    .description(
      'Compares what the database holds with what the refs name now. Changes nothing. A source is fresh and whole when it is at its ref, all of it is stored, can be found and is embedded, and it is looked at as often as it is due.',
    )
    .option(
      '--check',
      'exit with 5 where a source is not fresh and whole or the database cannot be written to, else with 0',
    )
    .option(
      '--max-staleness <duration>',
      'how long a source may be behind, or not looked at; needs --check',
      parseDuration,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ tidemark status --json\n  $ tidemark status --check --max-staleness 2h --quiet',
    )
    .action(defineAction(status))
}

async function status(call: Call, { check = false, maxStaleness }: StatusFlags): Promise<number> {
  const needsCheck = '--max-staleness needs --check'
  refuseFlags([[maxStaleness && !check, needsCheck, 'It says when a source counts as not fresh.']])
  const { config, output } = call
  const { redact } = await import('@tidemark/sync-core')
  const { readRemoteHeads } = await import('../runtime/remote-heads.ts')
  const { describeStored, readInstallation, readStored } = await import('../runtime/describe-sources.ts')
  const [{ problems, stored }, heads] = await Promise.all([
    call.withDatabase('read_only', async (db) => {
      // First: of a database that cannot be read it tells why.
      const problems = await readInstallation(db, config)
      return { problems, stored: await readStored(db, config.sources, config) }
    }),
    readRemoteHeads(config.sources),
  ])
  const writable = problems.every(({ severity }) => severity !== 'error')
  const sources = config.sources.map((source, i) => {
    const { id, repo, ref, everyMs } = source
    const { lastRun, lastSyncedAt, lastCheckedAt, sinceCheckMs, dirty, lease } = stored[i]!.status
    const nextDueInMs = sinceCheckMs === null || dirty ? 0 : Math.round(everyMs - sinceCheckMs)
    const options = { maxStalenessMs: maxStaleness, writable }
    const described = describeStored(source, stored[i]!, heads[i]!, config, options)
    const shown = { ...described, lastRun, lastSyncedAt, lastCheckedAt, everyMs, lease }
    return { id, repo: redact(repo), ref, ...shown, nextDueInMs }
  })
  if (output.json) output.printJson('status', { sources, problems })
  else if (sources.length > 0) await show(sources, output)
  else output.notify(`${config.file} has no sources yet. Add one with: tidemark sources add <id> <repo>`)
  if (!output.json && !output.quiet) for (const problem of problems) process.stderr.write(formatProblem(problem))
  const notFresh = sources.filter(({ problems }) => problems.length > 0).map(({ id }) => id)
  if (!check || notFresh.length + problems.length === 0) return 0
  if (notFresh.length > 0) output.warn(`Not fresh or not whole: ${notFresh.join(', ')}`)
  for (const { message } of problems) output.warn(`Not as it should be: ${message}`)
  return EXIT_NOT_FRESH
}

async function show(sources: readonly ListedStatus[], output: Output): Promise<void> {
  await printStatusTable(sources, output)
  if (output.quiet) return
  for (const { id, problems } of sources) {
    for (const problem of problems) process.stderr.write(formatProblem(problem, id))
  }
}
