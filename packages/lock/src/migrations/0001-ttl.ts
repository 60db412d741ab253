/** The table as programs have it that know only of expiry. Half of a page stays free, so that updates stay on it. */
export default /* sql */ `
CREATE TABLE {table} (
  {key}         text PRIMARY KEY,
  {holder_pid}  integer NOT NULL,
  {holder_host} text NOT NULL,
  {acquired_at} timestamptz NOT NULL,
  {expires_at}  timestamptz NOT NULL
) WITH (fillfactor = 50);
`
