import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HOOKS, type HookName, parsePayload, sourcesOf } from './hooks.ts'

const MAX_BODY_BYTES = 1024 * 1024

/** What is known of the process that answers. */
export interface Watched {
  /** The secrets of those hooks that are taken. */
  readonly hooks: Partial<Readonly<Record<HookName, string>>>
  readonly sources: readonly { readonly id: string; readonly repo: string }[]
  /** Looks at a source as soon as there is room. */
  wake(id: string): void
  /** What keeps it from working: the database that does not answer or is of another release; null where nothing does. */
  findProblem(): Promise<string | null>
  /** Answers assistants; null where nobody may ask. */
  readonly mcp: ((request: Request) => Promise<Response>) | null
  /** What Prometheus reads, and its type. */
  readMetrics(): Promise<{ readonly text: string; readonly contentType: string }>
}

/** What `tidemark watch --listen` answers. @param watched asked anew by each request, as the configuration may be read again */
export function createApp(watched: () => Watched): Hono {
  const app = new Hono()
  app.get('/healthz', (c) => c.json({ ok: true }))
  app.get('/readyz', async (c) => {
    const problem = await watched().findProblem()
    return problem === null ? c.json({ ready: true }) : c.json({ ready: false, problem }, 503)
  })
  app.get('/metrics', async (c) => {
    const { text, contentType } = await watched().readMetrics()
    return c.body(text, 200, { 'content-type': contentType })
  })
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => c.json({ error: 'at most 1 MB' }, 413) })
  app.post('/hooks/:name', limit, async (c) => {
    const { hooks, sources, wake } = watched()
    const name = c.req.param('name') as HookName
    // Not a way to find out what there is.
    const secret = Object.hasOwn(HOOKS, name) ? hooks[name] : undefined
    if (secret === undefined) return c.json({ error: 'no such hook' }, 404)
    const body = await c.req.text()
    const header = (key: string) => c.req.header(key)
    if (!(await HOOKS[name](secret, { body, header }))) return c.json({ error: 'wrong or missing signature' }, 401)
    const payload = parsePayload(body, header('content-type'))
    if (payload === null) return c.json({ error: 'the body is not a JSON object' }, 400)
    const woken = sourcesOf(payload, sources)
    for (const id of woken) wake(id)
    return c.json({ woken }, woken.length > 0 ? 202 : 200)
  })
  app.all('/mcp', limit, async (c) => {
    const { mcp } = watched()
    return mcp === null ? c.json({ error: 'not found' }, 404) : mcp(c.req.raw)
  })
  app.onError((_, c) => c.json({ error: 'this request failed' }, 500))
  app.notFound((c) => c.json({ error: 'not found' }, 404))
  return app
}
