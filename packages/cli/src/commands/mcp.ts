import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { stopOnSignals } from '../runtime/stop-on-signals.ts'
import { defineAction } from './define-action.ts'
import { refuseFlags } from './flags.ts'

/** `tidemark mcp`: the mirror for assistants. */
export function addMcp(program: Command): void {
  program
    .command('mcp')
    .summary('serve the mirror to an assistant, on standard input and output')
    .description(
      'Serves the Model Context Protocol on standard input and output: the tools search, read_page, list_sources and changes. Only reads: the database refuses what it might write. Ends with its client.',
    )
    .addHelpText('after', '\nExample:\n  $ claude mcp add docs -- tidemark mcp --config /srv/mirror/tidemark.yaml')
    .action(defineAction(mcp))
}

async function mcp(call: Call): Promise<number> {
  refuseFlags([[call.output.json, 'mcp prints what its protocol has, and no document', 'Leave --json out.']])
  const { config, databaseAddress } = call
  const stop = stopOnSignals()
  const { serveStdio } = await import('../mcp/serve-stdio.ts')
  await serveStdio(config, databaseAddress, stop.signal)
  const code = stop.exitCode() ?? 0
  process.stdout.write('', () => process.exit(code))
  return code
}
