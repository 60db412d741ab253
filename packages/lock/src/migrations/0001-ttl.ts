/** The table as programs have it that know only of expiry. */
export default /* sql */ `
CREATE TABLE IF NOT EXISTS {table} (
  {key}         text PRIMARY KEY,
  {holder_pid}  integer NOT NULL,
  {holder_host} text NOT NULL,
  {acquired_at} timestamptz NOT NULL,
  {expires_at}  timestamptz NOT NULL
);
`
