import { type Command, InvalidArgumentError } from 'commander'
import type { Call } from '../call.ts'
import type { LogFlags } from '../output/log.ts'
import { stopOnSignals } from '../runtime/stop-on-signals.ts'
import { defineAction } from './define-action.ts'
import { addLogOptions, parseCount, parseDuration, refuseFlags } from './flags.ts'

const DEFAULT_BUDGET_MS = 10 * 60_000

/** `tidemark watch`: keeps sources fresh for as long as it runs. */
export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .summary('keep all sources fresh, until it is stopped')
    .description(
      'Looks at each source when its "every" is over (10 s at the least), at once when a ref of a repository on this machine changes, and with --listen when a webhook says so. Several such processes share their sources. SIGHUP reads the configuration again.',
    )
    .option(
      '--listen <address>',
      'take webhooks and answer /healthz, /readyz and /metrics there; 8080 is 127.0.0.1:8080',
      parseAddress,
    )
    .option('--timeout <duration>', 'stop each sync after that long, as partial', parseDuration, DEFAULT_BUDGET_MS)
    .option('--concurrency <n>', 'how many sources at a time', parseCount, 4)
    .option('--independent', 'one process for each sync, killed where it outlives its budget')
    .addHelpText('after', '\nExamples:\n  $ tidemark watch\n  $ tidemark watch --listen 127.0.0.1:8080 --log json')
    .action(defineAction(watch))
  addLogOptions(command)
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Durations are in milliseconds. */
export interface WatchFlags extends Pick<LogFlags, 'log' | 'logTime'> {
  readonly listen?: ListenAddress
  readonly timeout: number
  readonly concurrency: number
  readonly independent?: boolean
}

/** A port alone is of this machine alone: other interfaces are for those who write so. */
function parseAddress(text: string): ListenAddress {
  const [, host = '', port = ''] = /^(?:(\[[\da-f:]+\]|[^\s:/]*):)?(\d{1,5})$/i.exec(text) ?? []
  if (port === '' || Number(port) > 65_535) throw new InvalidArgumentError('Give a port, or host:port.')
  return { host: host.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(port) }
}

async function watch(call: Call, flags: WatchFlags): Promise<number> {
  const { configureLog } = await import('../output/log.ts')
  configureLog({ ...call.flags, ...flags })
  refuseFlags([[call.output.json, 'watch prints no document', 'For events as JSON: tidemark watch --log json']])
  const { runWatch } = await import('../watch/run-watch.ts')
  const reload = { onHangup: () => {} }
  const stop = stopOnSignals(() => reload.onHangup())
  await runWatch(call, flags, { signal: stop.signal, reload })
  const code = stop.exitCode() ?? 0
  // A connection that is still being made would keep the process for seconds.
  process.stdout.write('', () => process.exit(code))
  return code
}
