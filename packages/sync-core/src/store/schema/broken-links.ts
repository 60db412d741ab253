/**
 * The links that mean nothing, by leaving out one way after another that `outlinks` (0005) finds a page or file by. That
 * view asks for the best of several, link by link; whether there is any is a join for all links at once.
 */
const none = (relation: string, ...conditions: string[]) => /* sql */ `
  AND NOT EXISTS (SELECT FROM tidemark.${relation} AS goal WHERE ${conditions.join(' AND ')})`

const noneOfSource = (relation: string, ...conditions: string[]) =>
  none(relation, 'goal.source_id = link.source_id', ...conditions)

const named = (relation: string, keys: readonly string[]) =>
  keys.map((key) => noneOfSource(relation, `goal.link_key = ${key}`)).join('')

/**
 * Below a folder, which is a range of the index. `ANY` is no condition that two tables are hashed by: by the source
 * alone, the planner would sooner compare each link with each page of it.
 */
const inRange = (relation: string, column: string, folder: string, ...conditions: string[]) =>
  none(
    relation,
    'goal.source_id = ANY (ARRAY[link.source_id])',
    `goal.${column} > ${folder} || '/'`,
    `goal.${column} < ${folder} || '0'`,
    ...conditions,
  )

/** In whatever folder. A key that is null is not looked for. */
const below = (relation: string, key: string, ...conditions: string[]) =>
  inRange(relation, 'link_key', key, ...conditions)

const inSite = (relation: string, key: string) =>
  below(relation, key, `tidemark.is_in_site_of(page.link_key, goal.link_key, ${key})`)

const inFolder = (relation: string) => inRange(relation, 'path', 'link.target_path')

const key = (condition: string, column: string) =>
  `CASE WHEN ${condition} THEN nullif(link.${column}, '') END COLLATE "C"`

const BY_NAME = 'link.target_path IS NULL'
const BY_SITE = `link.target ~ '^[/@]'`

export default /* sql */ `
CREATE VIEW tidemark.broken_links AS
SELECT link.source_id, link.page_id, page.path, link.ordinal, link.kind, link.target, link.text, link.target_path,
  link.target_anchor
FROM tidemark.links AS link
JOIN tidemark.sources AS source ON source.id = link.source_id
JOIN tidemark.pages AS page ON page.source_id = link.source_id AND page.id = link.page_id
CROSS JOIN LATERAL (SELECT
  CASE WHEN ${BY_SITE} AND source.link_root <> ''
    THEN tidemark.key_below(link.target_key, source.link_root) END COLLATE "C" AS root_key,
  ${key(BY_NAME, 'target_key')} AS name_key, ${key(BY_NAME, 'target_other_key')} AS other_name_key,
  ${key(BY_SITE, 'target_key')} AS site_key, ${key(BY_SITE, 'target_other_key')} AS other_site_key,
  ${key(`link.target ~ '\\.html?([?#]|$)'`, 'target_other_key')} AS address_key
) AS way_of
-- Else it names nothing of the repository: another server, or a section of its own page.
WHERE (link.target_key IS NOT NULL OR link.target_path IS NOT NULL)
${named('pages', ['link.target_key', 'link.target_other_key', 'root_key'])}
${named('aliases', ['link.target_key', 'link.target_other_key', 'root_key'])}
${named('files', ['link.target_key', 'root_key'])}
${below('pages', 'name_key')}${below('pages', 'other_name_key')}${below('pages', 'address_key')}
${inSite('pages', 'site_key')}${inSite('pages', 'other_site_key')}${inSite('aliases', 'site_key')}
${below('files', 'coalesce(name_key, site_key)')}
${noneOfSource('quarantine', 'md5(goal.path) = md5(link.target_path)', 'goal.path = link.target_path')}
${inFolder('files')}${inFolder('pages')};
`
