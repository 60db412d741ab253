import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { defineAction } from './define-action.ts'
import { refuseFlags } from './flags.ts'

/** `tidemark metrics`: what a Prometheus reads. */
export function addMetrics(program: Command): void {
  program
    .command('metrics')
    .summary('print what the database knows of each source, for Prometheus')
    .description(
      'Prints OpenMetrics, for the textfile collector of node_exporter. Asks no server but the database. Changes nothing.',
    )
    .option('--output <file>', 'into that file instead, all at once; where it fails, what is there stays')
    .addHelpText('after', '\nExample:\n  $ tidemark metrics --output /var/lib/prometheus/node-exporter/tidemark.prom')
    .action(defineAction(metrics))
}

async function metrics(call: Call, { output: file }: { output?: string }): Promise<void> {
  const { config, output } = call
  refuseFlags([[output.json, 'metrics are not JSON', 'For JSON: tidemark status --json']])
  const { collectStored } = await import('../runtime/collect-stored.ts')
  const text = await call.withDatabase('read_only', async (db) => (await collectStored(db, config)).metrics())
  if (file === undefined) output.printText(text)
  else (await import('../replace-file.ts')).replaceFile(file, text)
}
