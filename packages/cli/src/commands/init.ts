import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { writeConfig } from '../config/edit-config.ts'
import { CONFIG_NAME } from '../config/find-config.ts'
import { UsageError } from '../usage-error.ts'
import { globals, outputOf } from './context.ts'

/** `tidemark init`: writes a configuration to start from. */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary(`write a ${CONFIG_NAME}`)
    .description(`Writes a ${CONFIG_NAME} into this folder. In a git repository, that is its first source.`)
    .action((_, command: Command) => {
      const file = resolve(globals(command).config ?? CONFIG_NAME)
      if (existsSync(file))
        throw new UsageError(`${file} is there already`, 'Add to it with: tidemark sources add <id> <repo>')
      writeConfig(file, template(existsSync('.git')))
      outputOf(command).print(
        `Wrote ${file}\nNext: tidemark sources add <id> <repo>, then tidemark sync --all`,
      )
    })
}

function template(inRepository: boolean): string {
  const name =
    basename(process.cwd())
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 64) || 'docs'
  const sources = inRepository ? `sources:\n  ${name}:\n    repo: .\n    ref: HEAD\n` : 'sources:\n'
  return `# Where the pages go. Without it: DATABASE_URL, or an embedded database in .tidemark/db beside this file.
# database: postgres://user@host/database

# What is mirrored: a name, a git repository, and a branch, tag or commit of it (HEAD if left out).
#   docs:
#     repo: ../docs
#     ref: main
${sources}`
}
