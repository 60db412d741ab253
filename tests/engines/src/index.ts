export { freePort } from './free-port.ts'
export {
  allEngines,
  type Engine,
  engines,
  type FreshDatabase,
  freshDatabase,
  isChosen,
  vectorEngines,
} from './fresh-database.ts'
export { type PostgresServer, startPostgresServer } from './postgres-server.ts'
export { hasSystemPostgres } from './system-postgres.ts'
