import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveGit } from '@tidemark/test-engines/git-server'
import { expect, test } from 'vitest'
import { remoteOrigin } from '../../src/git/remote.ts'
import { emptyRepository } from '../world/test-repository.ts'

const PAGE = '<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>…</form></body></html>'

async function answerOf(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const repo = `http://me:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/team/docs.git`
  const error = await remoteOrigin(repo, 'main', '/nowhere')
    .resolveCommit(new AbortController().signal)
    .catch((error) => error)
  server.closeAllConnections()
  server.close()
  return error
}

/** Every request is answered so. */
const body =
  (text: string, type = 'text/html', status = 200): RequestListener =>
  (_, response) =>
    response.writeHead(status, { 'content-type': type }).end(text)

const redirect =
  (to: (url: string) => string): RequestListener =>
  ({ url = '' }, response) =>
    url.startsWith('/login')
      ? body(PAGE)({} as never, response as never)
      : response.writeHead(302, { location: to(url) }).end()

const ANSWERS: [string, RequestListener][] = [
  ['a page to log in', body(PAGE)],
  ['such a page of many lines', body(PAGE.replaceAll('>', '>\n'))],
  ['a redirect to a page to log in', redirect(() => '/login')],
  ['a redirect to such a page that comes back', redirect((url) => `/login?next=${encodeURIComponent(url)}`)],
  ['a redirect to such a page below the same path', redirect((url) => `/login${url}`)],
  ['redirects without an end', redirect((url) => url)],
  ['nothing at all', body('')],
  ['no content', (_, response) => response.writeHead(204).end()],
  ['JSON', body('{"error":"login required"}', 'application/json')],
  ['JSON of many lines', body('{\n"error":"login required"\n}\n', 'application/json')],
  ['a page that says it is of git', body(PAGE, 'application/x-git-upload-pack-advertisement')],
]

test.each(ANSWERS)('a server that answers %s is said to be none of git', async (_, listener) => {
  const error = await answerOf(listener)
  expect(error).toMatchObject({
    code: 'FETCH_FAILED',
    message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/team\/docs\.git answers, but not as a git server/),
    hint: expect.stringContaining('Open it in a browser'),
  })
  expect(error.message + error.hint).not.toContain('s3cret')
})

test('a server that has no such page says that the repository is not there', async () => {
  expect(await answerOf(body(PAGE, 'text/html', 404))).toMatchObject({
    code: 'FETCH_FAILED',
    message: expect.stringContaining('is not there, or not for these credentials'),
  })
})

test('a repository without a commit is not taken for a page of the web', async () => {
  const repository = await emptyRepository()
  const server = await serveGit(repository.folder)
  const { signal } = new AbortController()
  for (const repo of [`${server.url}/.git`, `file://${repository.folder}`]) {
    await expect(remoteOrigin(repo, 'main', '/nowhere').resolveCommit(signal)).rejects.toMatchObject({
      code: 'REF_NOT_FOUND',
      hint: 'It has no commits yet.',
    })
  }
  await server.close()
  repository.remove()
})
