import { UsageError } from '../usage-error.ts'

/** What `tidemark embed` was told. Durations are in milliseconds. */
export interface EmbedFlags {
  readonly source?: readonly string[]
  readonly all?: boolean
  readonly timeout?: number
  readonly model?: string
  readonly wait?: number
  readonly dryRun?: boolean
  readonly gc?: boolean
  readonly retryQuarantined?: boolean
}

/** @throws {UsageError} with the reason, before anything is touched. */
export function refuseContradictions({ source, all, gc, ...others }: EmbedFlags): void {
  const { timeout, wait, retryQuarantined } = others
  if (source && all) throw new UsageError('--source and --all exclude each other', 'Give one of them.')
  if (source || all) return
  if (timeout) throw new UsageError('--timeout needs --source or --all', 'It is a budget for each source.')
  if (!gc) {
    throw new UsageError('embed needs to know what', 'Give --source <id> or --all; or --gc to only collect.')
  }
  if (wait || retryQuarantined) {
    throw new UsageError(
      '--gc alone embeds nothing, so options of embedding mean nothing with it',
      'To embed as well, give --source <id> or --all.',
    )
  }
}
