/**
 * Each run leaves a record that says why it ended, for whoever asks in the morning. A source that nobody looks at is not
 * fresh, whatever was known of it when somebody last did.
 */
export default /* sql */ `
ALTER TABLE tidemark.runs ADD COLUMN message text, ADD COLUMN hint text;
CREATE OR REPLACE VIEW tidemark.freshness AS
SELECT id AS source, last_status AS status, behind_since,
  now() - coalesce(behind_since, last_checked_at) AS staleness, last_checked_at
FROM tidemark.sources;
`
