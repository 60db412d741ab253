import { type SimpleGit, simpleGit } from 'simple-git'

/** git in a folder that exists, for what answers with text; what is streamed is a child process where it is needed. */
export const gitIn = (folder: string): SimpleGit => simpleGit(folder, { trimmed: true })

/** Moves the branch that every source is synced from. */
export const moveMain = (folder: string, commit: string) => gitIn(folder).raw('update-ref', 'refs/heads/main', commit)
