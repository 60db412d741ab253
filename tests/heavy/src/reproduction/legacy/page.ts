import { createHash } from 'node:crypto'

/** What the incumbent makes of a file: a title, chunks by heading, links. */
export interface LegacyPage {
  readonly hash: string
  readonly title: string
  readonly content: string
  readonly chunks: readonly string[]
}

export function parsePage(content: string): LegacyPage {
  return {
    hash: createHash('sha256').update(content).digest('hex'),
    title: /^# (.+)$/m.exec(content)?.[1] ?? '',
    content,
    chunks: content.split(/\n(?=#{1,4} )/).filter((chunk) => chunk.trim() !== ''),
  }
}

/** The targets of the links in a text. */
export const findLinks = (content: string): string[] =>
  [...content.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
