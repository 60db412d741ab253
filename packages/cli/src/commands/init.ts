import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Call } from '../call.ts'
import { CONFIG_NAME } from '../config/find-config.ts'
import { version } from '../package.ts'
import { UsageError } from '../usage-error.ts'
import { defineAction } from './define-action.ts'

/** `tidemark init`: writes a configuration to start from. */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write a tidemark.yaml')
    .description(
      'Writes a tidemark.yaml with comments into this folder. In a git repository, that is its first source.',
    )
    .addHelpText('after', '\nExample:\n  $ cd my-docs && tidemark init && tidemark sync --all')
    .action(defineAction(init))
}

async function init({ flags, output }: Call): Promise<void> {
  const { replaceFile } = await import('../replace-file.ts')
  const file = resolve(flags.config ?? CONFIG_NAME)
  if (existsSync(file))
    throw new UsageError(`${file} is there already`, 'Add to it with: tidemark sources add <id> <repo>')
  const source = existsSync('.git') ? sourceName(process.cwd()) : null
  replaceFile(file, template(source))
  if (output.json) return output.printJson('init', { file, source })
  const add = source === null ? 'tidemark sources add <id> <repo>, then ' : ''
  output.print(`Wrote ${file}`, `Next: ${add}tidemark sync --all`)
}

/** A name for the repository in a folder. */
function sourceName(folder: string): string {
  const name = basename(folder)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
  return name.slice(0, 64) || 'docs'
}

function template(source: string | null): string {
  return `# yaml-language-server: $schema=https://unpkg.com/tidemark@${version()}/schema/tidemark.yaml.json

# In every value \${NAME} stands for a variable of the environment, \${NAME:-default} for one that may be missing.

# Where the pages go. Without it: DATABASE_URL, or an embedded database in .tidemark/db beside this file.
# database: postgres://user:\${PGPASSWORD}@host/database

# How often sources are due: 90s, 10m, 1h.
# every: 1h

# A check of a monitor, as of healthchecks.io, that sync and embed tell when they start, succeed and fail.
# ping: \${PING_URL:-}

# Who embeds what is mirrored, for search by meaning: any server with the protocol of OpenAI. Then: tidemark embed --all
# embedding:
#   url: http://localhost:11434/v1    # or https://api.openai.com/v1
#   model: nomic-embed-text
#   key: \${OPENAI_API_KEY:-}         # where the server asks for one

# What is mirrored: a name, a git repository, and what of it.
#   docs:
#     repo: ../docs                   # or https://\${TOKEN}@example.org/team/docs.git
#     ref: main                       # branch, tag or commit; HEAD if left out
#     subpath: content                # only this folder
#     include: ["guide/**"]           # only these, as in .gitignore
#     exclude: ["drafts/"]            # not these
#     extensions: [md, mdx]           # of the files that are pages; md, markdown, mdx if left out
#     linkRoot: content               # what /x of a link is below; the subpath if left out
#     maxFiles: 2000000               # that its commit may have, pages or not; 1000000 if left out
#     every: 10m
#     language: german                # that its text is searched in; english if left out
sources:
${source === null ? '' : `  ${source}:\n    repo: .\n    ref: HEAD\n`}`
}
