import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILES = ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_STATE', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY'] as const

type FileName = (typeof FILES)[number]

/** The files that a step writes to, as variables of its process. */
export type CommandFiles = Readonly<Record<FileName, string>>

/** Makes the files of a step, empty. */
export function createCommandFiles(folder: string): CommandFiles {
  const files = Object.fromEntries(FILES.map((name) => [name, join(folder, name.toLowerCase())])) as CommandFiles
  for (const file of Object.values(files)) writeFileSync(file, '')
  return files
}

/** What a step has written. @throws where a file is not as it should be */
export function readCommandFiles(files: CommandFiles) {
  const text = (name: FileName) => readFileSync(files[name], 'utf8')
  return {
    outputs: parseVariables(text('GITHUB_OUTPUT')),
    env: parseVariables(text('GITHUB_ENV')),
    state: parseVariables(text('GITHUB_STATE')),
    path: text('GITHUB_PATH').split(/\r?\n/).filter(Boolean),
    summary: text('GITHUB_STEP_SUMMARY'),
  }
}

/** Reads `name=value`, and `name<<delimiter` with the lines of a value and the delimiter; the last of a name counts. */
export function parseVariables(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/)
  const variables: Record<string, string> = {}
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (line === '') continue
    const [, name, sign, rest] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? []
    if (!name || (sign === '<<' && !rest)) throw new Error(`Invalid format '${line}'`)
    if (sign === '=') {
      variables[name] = rest!
      continue
    }
    const end = lines.indexOf(rest!, i + 1)
    if (end < 0) throw new Error(`Matching delimiter not found '${rest}'`)
    variables[name] = lines.slice(i + 1, end).join('\n')
    i = end
  }
  return variables
}
