/**
 * What an assistant can ask of a mirror: four tools, each of which only reads, from a connection on which the database
 * itself refuses to write. Each answer is a text for a model and the same as data, and says how fresh its source is.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { version } from '../package.ts'
import type { McpContext } from './answer.ts'
import { addChanges } from './tools/changes.ts'
import { addListSources } from './tools/list-sources.ts'
import { addReadPage } from './tools/read-page.ts'
import { addSearch } from './tools/search.ts'

/** A server of the Model Context Protocol, to be connected to a transport. */
export function createMcpServer(context: McpContext): McpServer {
  const server = new McpServer({ name: 'tidemark', version: version() })
  for (const addTool of [addSearch, addReadPage, addListSources, addChanges]) addTool(server, context)
  return server
}
