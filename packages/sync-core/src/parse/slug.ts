import { slug as slugOfWords } from 'github-slugger'

/** The file's name without folders and extension. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]+$/, '')
}

/** The path as it would stand in an address: `Guide/Émile & co.md` is `guide/émile--co`. Need not be unique. */
export function slugOf(path: string): string {
  return path
    .replace(/\.[^./]+$/, '')
    .split('/')
    .map((part) => slugOfWords(part) || '-')
    .join('/')
}
