import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { isSame } from '../watch/hooks.ts'
import type { McpContext } from './answer.ts'
import { createMcpServer } from './create-server.ts'

/** Answers requests of the protocol's streamable HTTP, each by itself: no session is kept. @param token what each must bear */
export const createMcpHandler =
  (token: string, context: McpContext) =>
  async (request: Request): Promise<Response> => {
    if (!isSame(`Bearer ${token}`, request.headers.get('authorization') ?? undefined))
      return Response.json(
        { error: 'wrong or missing token' },
        { status: 401, headers: { 'www-authenticate': 'Bearer' } },
      )
    const server = createMcpServer(context)
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport)
    return transport.handleRequest(request)
  }
