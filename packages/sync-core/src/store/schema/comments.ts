/** What tables, views and columns say of themselves to those who look at them with other programs. */
interface Relation {
  readonly is: string
  readonly columns?: Readonly<Record<string, string>>
}

const source = 'Id of the source, as in tidemark.yaml.'
const page = 'Id of the page in tidemark.pages.'
const model = 'Name of the model.'
const hash = 'SHA-256 of the text of a chunk.'

export default {
  migrations: {
    is: 'The migrations of this schema that were run.',
    columns: { version: 'Number of the migration.', applied_at: 'When it was run.' },
  },
  sources: {
    is: 'The git repositories that are mirrored, and how far.',
    columns: {
      id: source,
      repo: 'Path or address of the repository, without passwords.',
      ref: 'Branch, tag or commit that is mirrored.',
      bookmark: 'Commit of which everything is in; null until the first sync is complete.',
      target: 'Commit that the last run worked towards.',
      dirty: 'Whether the pages may be a mixture of bookmark and target.',
      rewrite_before: 'Pages last written before it are to be written again; null where no full sync is under way.',
      behind_since: 'Since when a newer commit is known than the one that is in; null where none is.',
      parser_version: 'Version of the parser that the bookmark was made with.',
      fingerprint: 'Digest of the settings that the bookmark was made with.',
      last_checked_at: 'When its ref was last compared with the bookmark.',
      last_synced_at: 'When a sync last reached its end.',
      last_status: 'How the last run ended.',
      unindexed_since_run:
        'Newest run whose pages the search index may lack; null where it lacks none, 0 before the first.',
      search_language: 'Language that the search index was made with.',
      nothing_selected: 'Why no file of the bookmark is a page; null where some are.',
      link_root: 'Key of the folder that a leading slash of a link means.',
    },
  },
  pages: {
    is: 'One row for each Markdown file of a source.',
    columns: {
      source_id: source,
      id: 'Stays the same when the file is renamed.',
      path: 'Path of the file in its repository, byte for byte.',
      blob_oid: 'Id of the git blob that the page was made of.',
      parser_version: 'Version of the parser that made the page.',
      slug: 'The path as addresses have it; two pages may share one.',
      title: 'Title of the front matter, first heading or name of the file.',
      frontmatter: 'The front matter of the file.',
      content: 'The Markdown without its front matter.',
      size_bytes: 'Size of the file.',
      updated_at: 'When the row was last written.',
      link_key: 'What links are matched by: the path in folded case without its extension, the last part first.',
    },
  },
  chunks: {
    is: 'The pages in parts, by their headings, for search and embeddings.',
    columns: {
      source_id: source,
      page_id: page,
      ordinal: 'Place in the page, from 0.',
      heading_path: 'The headings above it, outermost first.',
      content: 'The Markdown of the part.',
      content_hash: hash,
    },
  },
  links: {
    is: 'The links of pages as they are written; the view outlinks adds what they mean.',
    columns: {
      source_id: source,
      page_id: 'Id of the page that has the link.',
      ordinal: 'Place in the page, from 0.',
      kind: 'link, image or wiki.',
      target: 'What the link names, as it is written.',
      target_path: 'That as a path of the repository; null where it is none.',
      text: 'What a reader sees; null where that is the target.',
      target_anchor: 'Section of the page that is meant.',
      target_key: 'Key of the page that is meant.',
      target_other_key: 'Key that counts where no page has the first.',
    },
  },
  aliases: {
    is: 'What pages are called beside their paths.',
    columns: {
      source_id: source,
      page_id: page,
      ordinal: 'Place in the page, from 0.',
      link_key: 'The name as a key that links are matched by.',
    },
  },
  files: {
    is: 'The files of the bookmark that are no pages: a link to one is not broken.',
    columns: {
      source_id: source,
      path: 'Path of the file in its repository.',
      link_key: 'The path as a key that links are matched by.',
    },
  },
  quarantine: {
    is: 'Files that cannot be stored, and why.',
    columns: {
      source_id: source,
      id: 'Tells the rows of a source apart.',
      path: 'Path of the file in its repository.',
      blob_oid: 'Id of the git blob.',
      parser_version: 'Version of the parser that has tried.',
      code: 'The reason, for programs.',
      message: 'The reason, for people.',
      first_seen_at: 'When it was set aside.',
      last_seen_at: 'When it was last tried.',
    },
  },
  runs: {
    is: 'The runs that had something to do, or failed before that was known.',
    columns: {
      source_id: source,
      id: 'Rises with each run.',
      started_at: 'When it began.',
      finished_at: 'When it ended; null while it runs. Of one that was killed, when that was found.',
      status: 'How it ended.',
      reason: 'Why it ended so.',
      message: 'What was wrong with one that failed.',
      hint: 'What to do about that.',
      from_commit: 'Bookmark that it set out from; null for a first sync.',
      to_commit: 'Commit that it worked towards.',
      counts: 'What it has done.',
      host: 'Machine that it ran on.',
      pid: 'Process that it ran in.',
    },
  },
  search_pages: {
    is: 'What the search entries of each page were made of.',
    columns: {
      source_id: source,
      page_id: page,
      content_fingerprint: 'Digest of it; where the page has another now, its entries are made again.',
    },
  },
  search_chunks: {
    is: 'The entries of the full-text index.',
    columns: {
      source_id: source,
      page_id: page,
      ordinal: 'Chunk of the page.',
      content_hash: `${hash} Null where the page has none.`,
      language: 'Text search configuration.',
      words: 'The words of title, headings and text.',
    },
  },
  embedding_models: {
    is: 'The sets of embeddings.',
    columns: {
      model,
      dimensions: 'Length of its vectors.',
      completed_at: 'When it had every chunk for the first time, from when on it counts for search.',
    },
  },
  embedding_claims: {
    is: 'Who is having a text embedded.',
    columns: { model, content_hash: hash, key: 'Key of the lease that claims it.', token: 'Token of that lease.' },
  },
  embedding_quarantine: {
    is: 'Texts that the server of a model has refused.',
    columns: { model, content_hash: hash, message: 'What it said.', last_seen_at: 'When it was last tried.' },
  },
  locks: {
    is: 'Leases: who works on what. Rows stay when a lease ends, so that tokens never go back.',
    columns: {
      key: 'What the lease is of, as sync:docs.',
      holder_pid: 'Process of the holder.',
      holder_host: 'Machine of the holder.',
      acquired_at: 'When it was taken.',
      expires_at: 'When it ends unless it is refreshed.',
      token: 'Rises with each holder; what is written under the lease is fenced by it.',
      holder_id: 'Who has it; null where it is free.',
      holder_label: 'What the holder calls itself.',
      info: 'What the holder says of its work.',
      attempt_id: 'Tells a repeated attempt to take it from another.',
      last_refreshed_at: 'When its holder was last heard of.',
      heartbeat_ms: 'How often its holder refreshes it.',
      resign_requested_at: 'When its holder was asked to give it up.',
      end_reason: 'Why the last lease ended.',
    },
  },
  freshness: { is: 'View: how far each source is behind its repository, or since when nobody has looked.' },
  broken_links: { is: 'View: the links that mean neither a page nor a file of the repository.' },
  outlinks: { is: 'View: each link with the page or file that it means; null and null where it is broken.' },
  backlinks: { is: 'View: each page with the links that mean it.' },
} satisfies Record<string, Relation> as Record<string, Relation>
