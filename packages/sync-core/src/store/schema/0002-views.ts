/** What people ask of a mirror: how fresh it is, and what points to a page. */
export default /* sql */ `
CREATE VIEW tidemark.freshness AS
SELECT id AS source, last_status AS status, behind_since, coalesce(now() - behind_since, interval '0') AS staleness
FROM tidemark.sources;

-- Which link means which page is found when it is asked, so a page that appears later is linked to from then on. A
-- page answers to its path, to that without the extension, and, as index or readme, to its folder.
CREATE VIEW tidemark.backlinks AS
SELECT page.source_id, page.id AS page_id, page.path, link.page_id AS from_page_id, origin.path AS from_path,
  link.kind, link.target
FROM tidemark.pages AS page
CROSS JOIN LATERAL (
  SELECT page_id, kind, target FROM tidemark.links
  WHERE links.source_id = page.source_id AND links.target_path = ANY (ARRAY[
    page.path,
    regexp_replace(page.path, '\\.[^./]+$', ''),
    CASE WHEN page.path ~* '/(index|readme)\\.[^./]+$' THEN regexp_replace(page.path, '/[^/]+$', '') END
  ] COLLATE "C")
  UNION ALL
  SELECT page_id, kind, target FROM tidemark.links
  WHERE links.source_id = page.source_id
    AND links.target_name = lower(regexp_replace(regexp_replace(page.path, '^.*/', ''), '\\.[^./]+$', ''))
) AS link
JOIN tidemark.pages AS origin ON origin.source_id = page.source_id AND origin.id = link.page_id;
`
