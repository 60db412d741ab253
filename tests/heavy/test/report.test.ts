import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JSDOM } from 'jsdom'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Results, writeReport } from '../src/report/write-report.ts'
import { createRecord, type PolicyRecord } from '../src/reproduction/policy-record.ts'

function record(policy: string, outcome: 'finished' | 'stuck'): PolicyRecord {
  const nothing = { outcome, startHour: null, endHour: null, stopped: true, read: 0, stored: 0, wrongPages: 0 }
  const something = {
    ...nothing,
    startHour: 0,
    endHour: 0.4,
    stopped: false,
    read: 1_234,
    stored: 1_000,
    wrongPages: 1,
  }
  const sources = [
    { ...something, source: 'docs' },
    { ...nothing, source: 'wiki' },
  ]
  const waves = [0, 1].map((hour) => ({
    ...{ startHour: hour, endHour: hour + 0.5, killed: outcome === 'stuck', outcome, sources },
  }))
  const staleness = new Map(['docs', 'wiki'].map((source) => [source, 1]))
  const end = { stored: 2_000, storedAgain: 3, bytes: 4_567_890, embedded: 5_678, unembedded: 9, wrongPages: 0 }
  const unembedded = [{ startHour: 0, endHour: 1.5 }]
  return createRecord(policy, waves, { staleness, unembedded }, end)
}

const RESULTS: Results = {
  machine: {
    date: '2026-02-03T04:05:06.000Z',
    commit: '0123456789',
    cpu: 'Some | processor',
    cores: 2,
    memoryGb: 8,
    node: 'v24.0.0',
    seed: 77,
  },
  profile: 'short',
  reproduction: {
    hourMs: 6_667,
    scenarios: [1, 2].map((load) => ({
      load,
      hours: 2,
      policies: [record('old', 'stuck'), record('cron', 'finished')],
    })),
  },
  scale: {
    sizes: [{ pages: 3_700, changesMs: [{ files: 50, ms: 123 }] }],
  },
  chaos: { kills: 17, runs: { partial: 4 }, violations: [] },
  checks: [
    { check: 'a check that passed', passed: true, observed: '99 %' },
    { check: 'a check that failed', passed: false, observed: '3.5 h' },
  ],
}

describe('the report', () => {
  let folder: string
  let text: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-report-'))
    text = await readFile(await writeReport(RESULTS, folder), 'utf8')
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('says on what machine, when and from which seed', () => {
    expect(text).toContain('| 2026-02-03T04:05:06.000Z | 0123456789 | Some \\| processor | 2 | 8 | v24.0.0 | 77 |')
  })

  it('has for each policy what it has come to', () => {
    expect(text).toContain('|  | old | cron |')
    expect(text).toContain('| made progress | 0 % | 100 % |')
    expect(text).toContain('| wrong pages | 2 | 2 |')
    expect(text).toContain('| docs was stale for up to | 1.00 h | 1.00 h |')
  })

  it('says how much each policy did: files, bytes, embeddings', () => {
    expect(text).toContain('| of them once more | 468 | 468 |')
    expect(text).toContain('| kB stored | 4,568 | 4,568 |')
    expect(text).toContain('| texts embedded | 5,678 | 5,678 |')
    expect(text).toContain('| texts waited for it for up to | 1.50 h | 1.50 h |')
  })

  it('names the checks that failed first', () => {
    expect(text).toContain('1 of 2 checks passed')
    expect(text.indexOf('a check that failed')).toBeLessThan(text.indexOf('a check that passed'))
  })

  it('shows figures of parts that it knows nothing of', () => {
    expect(text).toContain('"kills": 17')
    expect(text).toContain('"files": 50')
  })

  it('leaves out parts that did not run', () => {
    expect(text).not.toContain('The part bench')
    expect(text).not.toContain('The part published')
  })

  it('leaves its tables alone too, for where no picture can be shown', async () => {
    const summary = await readFile(join(folder, 'summary.md'), 'utf8')
    expect(summary).toContain('1 of 2 checks passed')
    expect(summary).toContain('| made progress | 0 % | 100 % |')
    expect(summary).toContain('a check that failed')
    expect(summary).not.toMatch(/!\[|```/)
  })

  it('has tables whose rows have as many cells as their heads', () => {
    const cells = (line: string) => line.replaceAll('\\|', '').split('|').length
    for (const lines of text.split('\n\n').filter((block) => block.startsWith('|'))) {
      expect(new Set(lines.trim().split('\n').map(cells)).size).toBe(1)
    }
  })

  it('shows every picture that it writes, and each is well-formed and fits light and dark', async () => {
    const pictures = (await readdir(folder)).filter((name) => name.endsWith('.svg'))
    expect(pictures.toSorted()).toEqual(['timeline-load-2.svg', 'timeline.svg'])
    for (const name of pictures) {
      expect(text).toContain(`(${name})`)
      const svg = await readFile(join(folder, name), 'utf8')
      // Throws where it is not well-formed.
      const { documentElement } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window.document
      expect(documentElement.tagName).toBe('svg')
      expect(documentElement.querySelector('style')?.textContent).toContain('prefers-color-scheme: dark')
      expect(svg).not.toMatch(/NaN|undefined/)
    }
  })

  it('draws a bar for every run, for what it did to each source, and for the time in which texts waited', async () => {
    const svg = await readFile(join(folder, 'timeline.svg'), 'utf8')
    const bars = new JSDOM(svg, { contentType: 'image/svg+xml' }).window.document.querySelectorAll(
      '[aria-label=bar] rect',
    )
    expect(bars.length).toBe(4 + 6 + 2)
  })
})
