import type { Command } from 'commander'
import { type Output, openOutput } from '../show/output.ts'

/** The options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly database?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
}

export const globals = (command: Command): GlobalOptions => command.optsWithGlobals()
export const outputOf = (command: Command): Output => openOutput(globals(command))
