/**
 * Which page a link means: by keys, folded once where a page is parsed, that the views compare. The meaning itself is
 * computed by the query, so a page that appears, moves or goes changes what links to it without a link being written.
 */
export default /* sql */ `
DROP VIEW tidemark.outlinks, tidemark.backlinks;
DROP FUNCTION tidemark.link_target;
DROP INDEX tidemark.pages_name, tidemark.links_target_path, tidemark.links_target_name;
DROP FUNCTION tidemark.page_name;
-- Keys are what pages and links are matched by: the path in folded case without its extension, the last part first.
ALTER TABLE tidemark.pages ADD COLUMN link_key text COLLATE "C";
CREATE INDEX pages_link_key ON tidemark.pages (source_id, link_key);
ALTER TABLE tidemark.links DROP COLUMN target_name,
  ADD COLUMN text text, -- Null where a reader sees the target itself.
  ADD COLUMN target_anchor text,
  ADD COLUMN target_key text COLLATE "C",
  ADD COLUMN target_other_key text COLLATE "C"; -- What it means where no page has the first.
CREATE INDEX links_target_key ON tidemark.links (source_id, target_key) WHERE target_key IS NOT NULL;
CREATE INDEX links_target_other_key ON tidemark.links (source_id, target_other_key) WHERE target_other_key IS NOT NULL;
-- What a page is called beside its path: aliases, and its address in a site.
CREATE TABLE tidemark.aliases (
  source_id text NOT NULL, page_id bigint NOT NULL, ordinal integer NOT NULL, link_key text COLLATE "C" NOT NULL,
  PRIMARY KEY (source_id, page_id, ordinal)
);
CREATE INDEX aliases_link_key ON tidemark.aliases (source_id, link_key);
-- The files of the bookmark's tree, of the subpath where there is one, that are no pages: a link to one is not broken.
CREATE TABLE tidemark.files (
  source_id text NOT NULL, path text COLLATE "C" NOT NULL, link_key text COLLATE "C",
  PRIMARY KEY (source_id, path)
);
CREATE INDEX files_link_key ON tidemark.files (source_id, link_key);
-- The key of the folder that a leading slash of a link means.
ALTER TABLE tidemark.sources ADD COLUMN link_root text COLLATE "C" NOT NULL DEFAULT '';
-- The key of what is below a folder, from the two keys.
CREATE FUNCTION tidemark.key_below(key text, folder text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT concat_ws('/', nullif(key, ''), nullif(folder, ''))
$function$;
-- Whether a page has a key in a folder that the linking page lies in too: that folder is a site.
CREATE FUNCTION tidemark.is_in_site_of(from_key text, link_key text, key text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT right('/' || from_key, length(link_key) - length(key)) = right(link_key, length(link_key) - length(key))
$function$;
-- Each link with the page that it means, or null. First what its path names: with a leading slash (or @) from the root of
-- the site, then of the repository; else from the page; then by the other key; at last from the root of a site that was
-- not named. A wiki name may begin with folders. Then the other names of pages. Of several such pages the one whose path
-- is the link's counts, beside the linking page, in the fewest folders.
CREATE VIEW tidemark.outlinks AS
SELECT link.source_id, link.page_id, page.path, link.ordinal, link.kind, link.target, link.text, link.target_path,
  link.target_anchor, goal.id AS to_page_id, goal.path AS to_path, file.path AS to_file
FROM tidemark.links AS link
JOIN tidemark.sources AS source ON source.id = link.source_id
JOIN tidemark.pages AS page ON page.source_id = link.source_id AND page.id = link.page_id
CROSS JOIN LATERAL (
  SELECT link.target_path IS NULL AS by_name, link.target ~ '^[/@]' AS by_site,
    link.target ~ '\\.html?([?#]|$)' AS by_address, link.target ~ '/([?#]|$)' AS to_folder,
    CASE WHEN link.target ~ '^[/@]' AND source.link_root <> ''
      THEN tidemark.key_below(link.target_key, source.link_root) END AS site_key
) AS way_of
LEFT JOIN LATERAL (
  SELECT id, path FROM (
    SELECT way, id, path FROM (VALUES (1, way_of.site_key), (2, link.target_key), (3, link.target_other_key)) AS wanted (way, key)
    JOIN tidemark.pages ON pages.source_id = link.source_id AND link_key = key COLLATE "C"
    UNION ALL
    SELECT CASE WHEN by_name THEN 2 ELSE way END, id, path
    FROM (VALUES (4, nullif(link.target_key, '')), (5, nullif(link.target_other_key, ''))) AS wanted (way, key)
    JOIN tidemark.pages ON pages.source_id = link.source_id
      AND link_key > (key || '/') COLLATE "C" AND link_key < (key || '0') COLLATE "C"
    WHERE by_name OR by_site AND tidemark.is_in_site_of(page.link_key, pages.link_key, key) OR by_address AND way = 5
    UNION ALL
    SELECT 6, pages.id, pages.path FROM tidemark.aliases JOIN tidemark.pages USING (source_id)
    WHERE aliases.source_id = link.source_id AND pages.id = aliases.page_id
      AND aliases.link_key IN (link.target_key, link.target_other_key, way_of.site_key COLLATE "C")
    UNION ALL
    SELECT 7, pages.id, pages.path FROM tidemark.aliases JOIN tidemark.pages USING (source_id)
    WHERE aliases.source_id = link.source_id AND pages.id = aliases.page_id AND by_site AND link.target_key <> ''
      AND aliases.link_key > (link.target_key || '/') COLLATE "C" AND aliases.link_key < (link.target_key || '0') COLLATE "C"
      AND tidemark.is_in_site_of(page.link_key, aliases.link_key, link.target_key)
  ) AS found
  ORDER BY way, path <> link.target_path,
    NOT starts_with(path, rtrim(link.target_path, '/') || CASE WHEN to_folder THEN '/' ELSE '' END),
    by_name AND regexp_replace(path, '[^/]*$', '') <> regexp_replace(page.path, '[^/]*$', ''),
    length(path) - length(replace(path, '/', '')), by_name AND strpos(path, split_part(link.target, '#', 1)) = 0,
    length(path), path COLLATE "C"
  LIMIT 1
) AS goal ON true
-- Where it is no page: a file by its path or name, below a folder that a site serves; one in quarantine; a folder.
LEFT JOIN LATERAL (
  SELECT path FROM (
    SELECT path FROM tidemark.files
    WHERE files.source_id = link.source_id AND link_key IN (link.target_key, way_of.site_key COLLATE "C")
    UNION ALL
    SELECT path FROM tidemark.files
    WHERE files.source_id = link.source_id AND (by_name OR by_site) AND link.target_key <> ''
      AND link_key > (link.target_key || '/') COLLATE "C" AND link_key < (link.target_key || '0') COLLATE "C"
    UNION ALL
    SELECT path FROM tidemark.quarantine
    WHERE quarantine.source_id = link.source_id AND md5(path) = md5(link.target_path) AND path = link.target_path
    UNION ALL
    (SELECT link.target_path || '/' FROM tidemark.files
      WHERE files.source_id = link.source_id AND path > link.target_path || '/' AND path < link.target_path || '0' LIMIT 1)
    UNION ALL
    (SELECT link.target_path || '/' FROM tidemark.pages
      WHERE pages.source_id = link.source_id AND path > link.target_path || '/' AND path < link.target_path || '0' LIMIT 1)
  ) AS found
  WHERE goal.id IS NULL
  ORDER BY path <> link.target_path, length(path) - length(replace(path, '/', '')), path COLLATE "C" LIMIT 1
) AS file ON true;
-- The keys that a link to a page of this key may have: with fewer folders, and none at all for the page of a folder.
CREATE FUNCTION tidemark.shorter_keys(key text, path text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$
  SELECT array_agg(array_to_string(parts[1:n], '/'))
  FROM (SELECT string_to_array(key, '/')) AS whole (parts),
    generate_series(CASE WHEN path ~* '(^|/)(_?index|readme).[^./]+$' THEN 0 ELSE 1 END, cardinality(parts)) AS n
$function$;
-- First the links that could mean the page, by index; then those of them that do.
CREATE VIEW tidemark.backlinks AS
SELECT page.source_id, page.id AS page_id, page.path, link.page_id AS from_page_id, link.path AS from_path, link.kind,
  link.target, link.text, link.target_anchor
FROM tidemark.pages AS page CROSS JOIN LATERAL (
  SELECT DISTINCT links.page_id, links.ordinal FROM (
    SELECT page.link_key UNION ALL
    SELECT link_key FROM tidemark.aliases WHERE aliases.source_id = page.source_id AND aliases.page_id = page.id
  ) AS name (link_key) JOIN tidemark.links ON links.source_id = page.source_id AND (
    links.target_key = ANY (tidemark.shorter_keys(name.link_key, page.path) COLLATE "C")
    OR links.target_other_key = ANY (tidemark.shorter_keys(name.link_key, page.path) COLLATE "C"))
) AS candidate
JOIN tidemark.outlinks AS link ON link.source_id = page.source_id AND link.page_id = candidate.page_id
  AND link.ordinal = candidate.ordinal
WHERE link.to_page_id = page.id;
`
