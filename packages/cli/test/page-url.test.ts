import { expect, test } from 'vitest'
import { pageUrl } from '../src/output/page-url.ts'

test.each([
  ['https://github.com/o/r', 'https://github.com/o/r/blob/c0ffee/a%20b/x%23.md#top'],
  ['git@GitHub.com:o/r.git', 'https://github.com/o/r/blob/c0ffee/a%20b/x%23.md#top'],
  ['ssh://git@GitHub.com/o/r', 'https://github.com/o/r/blob/c0ffee/a%20b/x%23.md#top'],
  ['https://me:hunter2@github.com/o/r.git?token=hunter2', 'https://github.com/o/r/blob/c0ffee/a%20b/x%23.md#top'],
  [
    'https://gitlab.example.com:8443/g/s/r.git',
    'https://gitlab.example.com:8443/g/s/r/-/blob/c0ffee/a%20b/x%23.md#top',
  ],
  ['ssh://git@gitlab.com:2222/g/r', 'https://gitlab.com/g/r/-/blob/c0ffee/a%20b/x%23.md#top'],
  ['https://codeberg.org/o/r', 'https://codeberg.org/o/r/src/commit/c0ffee/a%20b/x%23.md#top'],
  ['https://bitbucket.org/o/r', 'https://bitbucket.org/o/r/src/c0ffee/a%20b/x%23.md#top'],
  ['https://notghe.com/o/r', null],
  ['../docs', null],
  ['C:/repos/docs', null],
  ['file:///srv/github.com/r', null],
])('a page of %s has the address that its host gives it, without secrets', (repo, url) => {
  expect(pageUrl(repo, 'c0ffee', 'a b/x#.md', 'top')).toBe(url)
})

test('a page whose commit is not known has no address', () => {
  expect(pageUrl('https://github.com/o/r', null, 'a.md')).toBe(null)
})
