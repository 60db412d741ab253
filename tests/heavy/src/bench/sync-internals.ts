import { readBlobs } from '../../../../packages/sync-core/src/git/blobs.ts'
import { resolveRef } from '../../../../packages/sync-core/src/git/refs.ts'
import { listTree } from '../../../../packages/sync-core/src/git/tree.ts'
import { type EligibleFile, fileFilter, MAX_PAGE_BYTES } from '../../../../packages/sync-core/src/plan/eligible.ts'

export { parsePage } from '../../../../packages/sync-core/src/parse/page.ts'

interface PageFile extends EligibleFile {
  readonly sizeBytes: number
  readonly content: Buffer
}

/** The files that a sync of `main` would import, read through the same `git cat-file --batch`. */
export async function* readPageFiles(folder: string): AsyncGenerator<PageFile> {
  const { signal } = new AbortController()
  const filter = fileFilter({})
  const items: EligibleFile[] = []
  for await (const entries of listTree(folder, await resolveRef(folder, 'main', signal), signal)) {
    for (const entry of entries) {
      const file = filter.classify(entry)
      if (file && !('code' in file)) items.push(file)
    }
  }
  for await (const { item, blob } of readBlobs(folder, items, { maxBytes: MAX_PAGE_BYTES, signal })) {
    yield { ...item, sizeBytes: blob.sizeBytes, content: blob.content! }
  }
}
