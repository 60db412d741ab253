/** Parses a text that takes minutes, until it is killed. */
import { openParser } from '../../src/parse/parser.ts'

await using parser = openParser(new AbortController().signal)
await parser.parse('endless.md', Buffer.from('>'.repeat(1_000_000)))
