/** git's porcelain, built into one file. */
export { simpleGit } from 'simple-git'
