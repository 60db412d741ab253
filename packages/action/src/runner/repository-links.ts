import type { Cell } from './summary.ts'

/** How a host writes the address of a commit below that of its repository. */
const COMMIT_PATHS: Readonly<Record<string, string>> = {
  'github.com': 'commit',
  'gitlab.com': '-/commit',
  'bitbucket.org': 'commits',
  'codeberg.org': 'commit',
}

const PATH = String.raw`(?<path>[\w.-]+(?:/[\w.-]+)+)/?$`
const FORMS = [
  new RegExp(String.raw`^(?:https|ssh)://(?:[^/?#]*@)?(?<host>[a-z\d.-]+)/${PATH}`, 'i'),
  new RegExp(String.raw`^[^@/:]+@(?<host>[a-z\d.-]+):${PATH}`, 'i'),
]

/** Where people see a repository; null for a host whose pages are not known. Never with a user or a password. */
export function repositoryUrl(repo: string): string | null {
  return parse(repo)?.url ?? null
}

/** A commit for a table, with a link where there is a page of it. */
export const commitCell = (repo: string, commit: string | null): Cell =>
  commit === null ? '–' : { text: commit.slice(0, 7), href: commitUrl(repo, commit) }

/** Where people see a commit of a repository. */
export function commitUrl(repo: string, commit: string): string | null {
  const parts = parse(repo)
  return parts && `${parts.url}/${parts.commitPath}/${commit}`
}

function parse(repo: string): { url: string; commitPath: string } | null {
  const { host = '', path: written = '' } = FORMS.map((form) => form.exec(repo)).find(Boolean)?.groups ?? {}
  const path = written.replace(/\.git$/, '')
  // A wiki has no page for a commit.
  if (path.endsWith('.wiki')) return null
  const name = host.toLowerCase()
  // A GitHub Enterprise Server says its own name.
  const isServer = process.env.GITHUB_SERVER_URL === `https://${name}`
  const commitPath = isServer ? 'commit' : Object.hasOwn(COMMIT_PATHS, name) ? COMMIT_PATHS[name] : undefined
  return commitPath === undefined ? null : { url: `https://${name}/${path}`, commitPath }
}
