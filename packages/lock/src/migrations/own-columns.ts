/** What `migrate()` adds to a table that knows only of expiry, under these names in every table. */
export const OWN_COLUMNS = {
  token: 'bigint',
  holder_id: 'text',
  holder_label: 'text',
  info: 'jsonb',
  attempt_id: 'uuid',
  last_refreshed_at: 'timestamp with time zone',
  heartbeat_ms: 'integer',
  resign_requested_at: 'timestamp with time zone',
  end_reason: 'text',
}
