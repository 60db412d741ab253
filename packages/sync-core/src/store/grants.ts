/** What a role needs that reads and writes rows and makes no tables. */
export const GRANT_STEP =
  'GRANT USAGE ON SCHEMA tidemark TO …; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidemark TO …'
