import { join } from 'node:path'

/** Where what a `uses` names is found. */
export interface Repositories {
  /** @throws for a repository that the test does not have */
  folder(name: string): string
  /**
   * Finds `./path` in the work tree of the job, `$/path` in the repository that says so, and `owner/name/path@ref` in that
   * repository, whatever the ref.
   */
  locate(uses: string, home: string, workspace: string): { folder: string; repository: string }
}

/** @param folders the folder of each repository, `owner/name → folder` */
export function createRepositories(folders: Readonly<Record<string, string>>): Repositories {
  const folder = (name: string) => {
    const found = folders[name]
    if (found === undefined) throw new Error(`Unable to resolve action ${name}, repository not found`)
    return found
  }
  return {
    folder,
    locate(uses, home, workspace) {
      if (uses.startsWith('./')) return { folder: join(workspace, uses), repository: home }
      if (uses.startsWith('$/')) return { folder: join(home, uses.slice(2)), repository: home }
      const [, name, path = ''] = /^([^/@]+\/[^/@]+)(\/[^@]*)?@.+$/.exec(uses) ?? []
      if (name === undefined) throw new Error(`${uses} names no action`)
      const repository = folder(name)
      return { folder: join(repository, path), repository }
    },
  }
}
