import { renameSync, writeFileSync } from 'node:fs'
import { UsageError } from '../usage-error.ts'

/** Writes the whole file or nothing: beside it first, then in its place. @throws {CannotWrite} */
export function writeConfig(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(draft, text)
    renameSync(draft, file)
  } catch (error) {
    throw new CannotWrite(
      `${file} cannot be written: ${(error as Error).message}`,
      'Choose a folder that you may write to.',
      error,
    )
  }
}

/** A fault of the machine rather than of the user: exit code 1. */
export class CannotWrite extends UsageError {}
