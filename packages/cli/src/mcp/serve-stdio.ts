import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import type { Config } from '../config/load-config.ts'
import { createMcpServer } from './create-server.ts'
import { lendDatabase } from './lend-database.ts'

/** Serves one client on standard input and output, until it or the signal ends that. */
export async function serveStdio(config: Config, databaseAddress: string, signal: AbortSignal): Promise<void> {
  const database = lendDatabase(databaseAddress)
  const server = createMcpServer({ config, use: database.use })
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await server.connect(new StdioServerTransport())
  await ended
  await server.close()
  await database.close()
}
