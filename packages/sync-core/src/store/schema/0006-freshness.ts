/** A source that nobody looks at is not fresh, whatever was known of it when somebody last did. */
export default /* sql */ `
CREATE OR REPLACE VIEW tidemark.freshness AS
SELECT id AS source, last_status AS status, behind_since,
  now() - coalesce(behind_since, last_checked_at) AS staleness, last_checked_at
FROM tidemark.sources;
`
