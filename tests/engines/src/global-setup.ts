import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import type { TestProject } from 'vitest/node'
import type {} from './fresh-database.ts'
import { startPostgresServer } from './postgres-server.ts'
import { startSystemPostgres, systemPostgresBin } from './system-postgres.ts'

/** Starts the servers of the whole test run and makes one PGlite folder to copy from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = await mkdtemp(join(tmpdir(), 'tidemark-template-'))
  const template = join(home, 'pglite')
  const systemBin = systemPostgresBin()
  const [server, systemServer] = await Promise.all([
    startPostgresServer(),
    systemBin === null ? null : startSystemPostgres(systemBin),
    makeTemplate(template),
  ])
  project.provide('postgresUrl', server.url)
  project.provide('systemPostgresUrl', systemServer?.url ?? null)
  project.provide('pgliteTemplate', template)
  return async () => {
    await Promise.all([server.stop(), systemServer?.stop()])
    await rm(home, { recursive: true, force: true, maxRetries: 10 })
  }
}

async function makeTemplate(folder: string): Promise<void> {
  const db = await PGlite.create(folder)
  await db.close()
}
