/**
 * What people query in a mirror. Which page a link means is computed by the query, so a page that appears, moves or goes
 * changes what links to it without a link being written again.
 */
export default /* sql */ `
CREATE VIEW tidemark.freshness AS
SELECT id AS source, last_status AS status, behind_since, coalesce(now() - behind_since, interval '0') AS staleness
FROM tidemark.sources;
-- "guide/First Steps.md" is "first steps": what a wiki link calls a page.
CREATE FUNCTION tidemark.page_name(path text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT lower(regexp_replace(regexp_replace(path, '^.*/', ''), '\\.[^./]+$', ''))
$function$;
CREATE INDEX pages_name ON tidemark.pages (source_id, tidemark.page_name(path));
-- The page that a link means, or null. A path may leave out the extension, name a folder for its index or readme, or
-- end in .html as in the built site. A wiki name may begin with folders; of several such pages the one beside the
-- linking page counts, then the one in the fewest folders.
CREATE FUNCTION tidemark.link_target(source text, from_path text, target text, target_path text, target_name text)
RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  (SELECT pages.id FROM (VALUES
      (1, target_path), (2, target_path || '.md'), (3, target_path || '.markdown'), (4, target_path || '/index.md'),
      (5, target_path || '/README.md'), (6, target_path || '/readme.md'), (7, regexp_replace(target_path, '\\.html$', '.md'))
    ) AS candidate (rank, path)
    JOIN tidemark.pages ON pages.source_id = source AND pages.path = candidate.path COLLATE "C"
    ORDER BY rank LIMIT 1)
  UNION ALL
  (SELECT pages.id
    FROM (SELECT lower(regexp_replace(trim(regexp_replace(target, '[#|].*$', '')), '\\.(md|markdown)$', '', 'i'))) AS wiki (name),
      tidemark.pages
    WHERE target_name IS NOT NULL AND pages.source_id = source AND tidemark.page_name(pages.path) = target_name
      AND right('/' || lower(regexp_replace(pages.path, '\\.[^./]+$', '')), length(wiki.name) + 1) = '/' || ltrim(wiki.name, '/')
    ORDER BY regexp_replace(pages.path, '[^/]*$', '') <> regexp_replace(from_path, '[^/]*$', ''),
      length(pages.path) - length(replace(pages.path, '/', '')), pages.path COLLATE "C"
    LIMIT 1)
  LIMIT 1
$function$;
CREATE VIEW tidemark.outlinks AS
SELECT link.source_id, link.page_id, page.path, link.ordinal, link.kind, link.target,
  goal.id AS to_page_id, goal.path AS to_path
FROM tidemark.links AS link
JOIN tidemark.pages AS page ON page.source_id = link.source_id AND page.id = link.page_id
LEFT JOIN tidemark.pages AS goal ON goal.source_id = link.source_id
  AND goal.id = tidemark.link_target(link.source_id, page.path, link.target, link.target_path, link.target_name);
-- First the links that could mean the page, by index; then those of them that do.
CREATE VIEW tidemark.backlinks AS
SELECT page.source_id, page.id AS page_id, page.path, link.page_id AS from_page_id, origin.path AS from_path, link.kind, link.target
FROM tidemark.pages AS page CROSS JOIN LATERAL (
  SELECT page_id, kind, target, target_path, target_name FROM tidemark.links
  WHERE links.source_id = page.source_id AND links.target_path = ANY (ARRAY[
    page.path, regexp_replace(page.path, '\\.(md|markdown)$', ''),
    regexp_replace(page.path, '\\.md$', '.html'), regexp_replace(page.path, '/(index|README|readme)\\.md$', '')
  ] COLLATE "C")
  UNION ALL
  SELECT page_id, kind, target, target_path, target_name FROM tidemark.links
  WHERE links.source_id = page.source_id AND links.target_name = tidemark.page_name(page.path)
) AS link
JOIN tidemark.pages AS origin ON origin.source_id = page.source_id AND origin.id = link.page_id
WHERE tidemark.link_target(page.source_id, origin.path, link.target, link.target_path, link.target_name) = page.id;
-- The dictionary for a language, or the one that takes words as they stand where this server has none for it.
CREATE FUNCTION tidemark.dictionary_for(language text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $function$
  SELECT coalesce((SELECT cfgname::text FROM pg_catalog.pg_ts_config WHERE cfgname = language LIMIT 1), 'simple')
$function$;
-- The dictionaries that these sources, or all, are indexed by. There are few, which a query over the table itself does
-- not tell the planner: it would read all entries rather than look words up for each.
CREATE FUNCTION tidemark.search_dictionaries(sources text[]) RETURNS SETOF text LANGUAGE plpgsql STABLE ROWS 1
AS $function$ BEGIN
  RETURN QUERY SELECT DISTINCT tidemark.dictionary_for(search_language) FROM tidemark.sources AS source
    WHERE search_language IS NOT NULL AND (search_dictionaries.sources IS NULL OR source.id = ANY (search_dictionaries.sources));
END $function$;
`
