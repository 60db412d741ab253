/** git's porcelain, built into one file. */
export { GitError, type SimpleGit, simpleGit } from 'simple-git'
