const MIGRATE = 'tidemark migrate'

/** How to go on after what a database server says, by its SQLSTATE. */
const STEPS: Readonly<Record<string, string>> = {
  '3F000': MIGRATE,
  '42P01': MIGRATE,
  '42703': MIGRATE,
  '42883': MIGRATE,
  '42501': 'What this role has to be granted: tidemark doctor',
  '53300': 'Raise max_connections, put a pooler before the server, or sync less at a time: --concurrency 1.',
  '53100': 'The disk of the database server is full: make room there.',
  '25006': 'The database is read-only; how that can be changed: tidemark doctor',
}

/** The next step for that SQLSTATE; undefined where none is known. */
export const databaseStep = (code: unknown): string | undefined => (typeof code === 'string' ? STEPS[code] : undefined)
