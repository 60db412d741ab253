import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { parse } from 'yaml'
import { parseVariables } from '../runner/file-commands.ts'

export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))

export interface Step {
  /** Folder of its action.yml, seen from the package; the Action itself by default. */
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export interface Ended {
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
  readonly annotations: readonly { level: string; title: string; message: string }[]
  /** Runs the post step as the runner does, with the state that was left. */
  post(env?: Readonly<Record<string, string>>): Promise<Ended>
}

/** A step as a runner runs it: a process of Node with inputs in its environment and files to write to. */
export function startStep(step: Step) {
  const { uses = '.', cwd, env } = step
  const file = join(PACKAGE, uses, 'action.yml')
  const action = parse(readFileSync(file, 'utf8'))
  const inputs = readInputs(action, step.with ?? {})
  const entry = (name: 'main' | 'post') => resolve(dirname(file), action.runs[name])
  return startEntry(entry('main'), { cwd, env: { ...inputs, ...env } }, action.runs.post && entry('post'))
}

/** Ends a step as a runner does whose job is cancelled, until that is stopped. */
export function cancelAsRunner(child: ReturnType<typeof startStep>['child']): AbortController {
  const over = new AbortController()
  const { signal } = over
  const end = async () => {
    child.kill('SIGINT')
    await sleep(7_500, undefined, { signal, ref: false })
    child.kill('SIGTERM')
    await sleep(2_500, undefined, { signal, ref: false })
    child.kill('SIGKILL')
  }
  end().catch(() => {})
  return over
}

/** Runs a step to its end. */
export const runStep = (step: Step): Promise<Ended> => startStep(step).ended

function startEntry(
  entry: string,
  { cwd, env }: { cwd: string; env: Record<string, string | undefined> },
  post?: string,
) {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-step-'))
  const files = { GITHUB_OUTPUT: 'output', GITHUB_STATE: 'state', GITHUB_STEP_SUMMARY: 'summary' }
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(home, file)]))
  for (const path of Object.values(paths)) writeFileSync(path, '')
  const child = execa(process.execPath, [entry], { cwd, env: { ...env, ...paths }, reject: false, all: true })
  const ended = child.then(({ exitCode, signal, all }): Ended => {
    const read = (name: keyof typeof files) => readFileSync(paths[name]!, 'utf8')
    const log = String(all)
    const state = parseVariables(read('GITHUB_STATE'))
    const outcome = { outputs: parseVariables(read('GITHUB_OUTPUT')), summary: read('GITHUB_STEP_SUMMARY') }
    rmSync(home, { recursive: true, maxRetries: 10 })
    return {
      exitCode,
      signal,
      log,
      ...outcome,
      annotations: annotationsIn(log),
      post(more) {
        const states = Object.entries(state).map(([name, value]) => [`STATE_${name}`, value])
        return startEntry(post!, { cwd, env: { ...env, ...Object.fromEntries(states), ...more } }).ended
      },
    }
  })
  return { child, ended }
}

/** Inputs with their defaults, as the runner passes them. */
function readInputs(action: any, given: Readonly<Record<string, string>>): Record<string, string> {
  const unknown = Object.keys(given).find((name) => !(name in action.inputs))
  if (unknown !== undefined) throw new Error(`${action.name} has no input ${unknown}`)
  const inputs = Object.entries<any>(action.inputs).map(([name, { default: otherwise = '' }]) => [
    `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
    given[name] ?? otherwise,
  ])
  return Object.fromEntries(inputs)
}

function annotationsIn(log: string) {
  const unescaped = (text: string) =>
    text.replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%0A', '\n').replaceAll('%25', '%')
  return [...log.matchAll(/^::(notice|warning|error)(?: title=(.*?))?::(.*)$/gm)].map(
    ([, level, title = '', message]) => ({
      level: level!,
      title: unescaped(title),
      message: unescaped(message!),
    }),
  )
}
