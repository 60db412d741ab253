/** The table as programs have it that know only of expiry. Half of a page stays free, so that updates stay on it. */
export default /* sql */ `
CREATE TABLE {table} (
  {key}         text PRIMARY KEY,
  {holderPid}  integer NOT NULL,
  {holderHost} text NOT NULL,
  {acquiredAt} timestamptz NOT NULL,
  {expiresAt}  timestamptz NOT NULL
) WITH (fillfactor = 50);
`
