import { readBlobs } from '../../../../packages/sync-core/src/git/blobs.ts'
import { resolveRef } from '../../../../packages/sync-core/src/git/refs.ts'
import { listTree } from '../../../../packages/sync-core/src/git/tree.ts'
import { fileFilter } from '../../../../packages/sync-core/src/plan/eligible.ts'

export interface PageFile {
  readonly path: string
  readonly blobOid: string
  readonly sizeBytes: number
  readonly content: Buffer
}

/** The files that a sync of `main` would import, through the same `git cat-file --batch`. */
export async function* pagesOf(repo: string): AsyncGenerator<PageFile> {
  const signal = new AbortController().signal
  const repository = { folder: repo }
  const commit = await resolveRef(repository, 'main', signal)
  const filter = fileFilter({})
  const wanted = []
  for await (const piece of listTree(repository, commit, signal)) {
    for (const entry of piece) {
      const file = filter.classify(entry)
      if (file && !('code' in file)) wanted.push(file)
    }
  }
  const oidOf = (file: { blobOid: string }) => file.blobOid
  for await (const { item, blob } of readBlobs({ repository, items: wanted, oidOf, maxBytes: 1 << 22, signal })) {
    const { path, blobOid } = item
    yield { path, blobOid, sizeBytes: blob.sizeBytes, content: blob.content! }
  }
}
