import { type IPty, spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { expect } from 'vitest'
import { BIN, type CliWorld } from './cli-world.ts'

/** A terminal that a command runs in. */
export interface Terminal {
  /** What stands on its screen, without what is empty at the ends. */
  screen(): string
  /** All that was written to it, with what is for the terminal alone. */
  raw(): string
  /** Waits until something stands on the screen. */
  shows(text: string | RegExp): Promise<void>
  /** Types. */
  type(text: string): void
  /** Closes its window, and with that hangs up. */
  close(): void
  /** Waits for the command to end and the screen to have all of it. */
  ended(): Promise<{ exitCode: number; screen: string }>
}

/** Runs `tidemark` in a terminal of so many columns. */
export function runInTerminal(world: CliWorld, args: string, options: TerminalOptions = {}): Terminal {
  return openTerminal(world, [process.execPath, BIN, ...args.split(' ')], options)
}

interface TerminalOptions {
  readonly columns?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program, such as a shell, in a terminal of so many columns. */
export function openTerminal(
  world: CliWorld,
  [program, ...args]: readonly [string, ...string[]],
  { columns = 80, env = {} }: TerminalOptions = {},
): Terminal {
  const screen = new xterm.Terminal({ cols: columns, rows: 30, allowProposedApi: true })
  const given = Object.entries({
    ...process.env,
    ...world.env,
    NO_COLOR: undefined,
    TERM: 'xterm-256color',
    ...env,
  })
  const child = spawn(program, args, {
    cols: columns,
    rows: 30,
    cwd: world.folder,
    env: Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Record<string, string>,
  })
  let raw = ''
  child.onData((data) => {
    raw += data
    screen.write(data)
  })
  const exited = new Promise<number>((resolve) => child.onExit(({ exitCode }) => resolve(exitCode)))
  const read = () => {
    const { active } = screen.buffer
    const lines = Array.from({ length: active.length }, (_, y) => active.getLine(y)!.translateToString(true))
    return lines.join('\n').trim()
  }
  return {
    screen: read,
    raw: () => raw,
    shows: (text) => expect.poll(read, { timeout: 30_000 }).toMatch(text),
    type: (text) => child.write(text),
    close: () => (child as IPty & { destroy(): void }).destroy(),
    async ended() {
      const exitCode = await exited
      // Written in order, so what came before it is on the screen then.
      await new Promise<void>((resolve) => screen.write('', resolve))
      return { exitCode, screen: read() }
    },
  }
}
