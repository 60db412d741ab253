import type { Command } from 'commander'
import type { Config } from '../config/load-config.ts'
import { checkDatabase } from '../doctor/check-database.ts'
import { checkEmbedding } from '../doctor/check-embedding.ts'
import { checkGit } from '../doctor/check-git.ts'
import { checkRepositories, checkStandings } from '../doctor/check-sources.ts'
import { type Finding, failed, well } from '../doctor/finding.ts'
import { configOf, withDatabaseReadOnly } from './context.ts'
import { outputOf } from './globals.ts'

/** Looks at all that a sync needs. @returns 1 where something is wrong. */
export default async function doctor(_: object, command: Command): Promise<number> {
  const output = outputOf(command)
  const findings = (await Promise.all([checkGit(), checkConfigured(command)])).flat()
  const healthy = findings.every(({ ok }) => ok)
  if (output.json) output.printJson({ healthy, findings })
  else
    for (const { check, ok, message, mend } of findings) {
      if (ok && output.quiet) continue
      output.print(`${ok ? output.paint('green', '✓') : output.paint('red', '✗')} ${check}: ${message}`)
      if (mend !== null) output.print(`  ${mend}`)
    }
  return healthy ? 0 : 1
}

/** What can be looked at only where there is a configuration that is right. */
async function checkConfigured(command: Command): Promise<Finding[]> {
  let config: Config
  try {
    config = configOf(command)
  } catch (error) {
    return [failed('configuration', error)]
  }
  const { file, sources } = config
  const [stored, repositories] = await Promise.all([
    withDatabaseReadOnly(command, config, async (db) => [
      ...(await checkDatabase(db)),
      ...(await checkEmbedding(db, config)),
      ...(await checkStandings(db, config)),
    ]).catch((error) => [failed('database', error)]),
    checkRepositories(config),
  ])
  return [well('configuration', `${file}, ${sources.length} sources`), ...stored, ...repositories]
}
