import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CliWorld, cliWorld } from './world/cli-world.ts'

let world: CliWorld
beforeAll(async () => {
  world = await cliWorld()
  world.write('tidemark.yaml', 'sources: { docs: { repo: docs }, wiki: { repo: docs } }')
  world.write('embed.yaml', 'embedding: { url: "http://127.0.0.1:1/v1", model: m }\nsources: { docs: { repo: docs } }')
  world.write('typo.yaml', 'sources: { docs: { repo: docs, reff: main } }')
})
afterAll(() => world[Symbol.dispose]())

const SPACE = '\u00a0'

// One world for all: what is refused changes nothing.
describe.concurrent('is refused with one clear line, a hint and exit code 2:', () => {
  test.for([
    // What to sync
    ['sync', 'sync needs to know what'],
    ['sync --all --source docs', '--source and --all exclude each other'],
    ['sync --timeout 60', '--timeout needs --source or --all'],
    ['sync --source dosc', 'Did you mean "docs"?'],
    ['sync --all --config other.yaml', 'there is no file'],
    ['sync --all --config typo.yaml', 'Did you mean "ref"?'],
    // Breaking leases
    ['sync --all --max-age 30m', '--max-age needs --break-lock'],
    ['sync --source docs --force-break-lock --max-age 30m', '--max-age and --force-break-lock exclude each other'],
    ['sync --all --force-break-lock', '--force-break-lock needs --source'],
    ['sync --source docs --break-lock --force-break-lock', 'exclude each other'],
    ['sync --break-lock', 'sync needs to know what'],
    ...[
      '--timeout 60',
      '--wait 60',
      '--independent',
      '--dry-run',
      '--full',
      '--retry-quarantined',
      '--allow-mass-delete',
      '--break-lock-if-stale 60',
    ].flatMap((flag) => [
      [`sync --all --break-lock ${flag}`, '--break-lock does not sync'],
      [`sync --source docs --force-break-lock ${flag}`, '--force-break-lock does not sync'],
    ]),
    ['locks break sync:docs --force --max-age 30m', '--max-age and --force exclude each other'],
    // What to embed
    ['embed --all', 'does not say who embeds'],
    ['embed --config embed.yaml', 'embed needs to know what'],
    ['embed --all --source docs', '--source and --all exclude each other'],
    ['embed --timeout 60 --gc', '--timeout needs --source or --all'],
    ['embed --gc --wait 60', '--gc alone embeds nothing'],
    ['embed --gc --retry-quarantined', '--gc alone embeds nothing'],
    ['embed --source dosc --config embed.yaml', 'Did you mean "docs"?'],
    ['embed --all --model= --config embed.yaml', 'the model that embeds has no name'],
    ['embed --all --timeout=0', "option '--timeout <duration>' argument '0' is invalid"],
    // What to look for
    ['search', "missing required argument 'words'"],
    [`search ${SPACE}`, 'search needs words'],
    ['search proxy --source dosc', 'Did you mean "docs"?'],
    ['search proxy -webpack --limt 5', '(Did you mean --limit?)'],
    ['search proxy --limit -5', 'Give a whole number of 1 or more.'],
    ['search proxy --mode words', 'Allowed choices are text, vector, hybrid.'],
    ['show proxy.md', '"proxy.md" does not name a page'],
    ['show docs:', '"docs:" does not name a page'],
    ['show dosc:proxy.md', 'Did you mean "docs"?'],
    // Durations and numbers
    ...['--timeout', '--wait', '--break-lock-if-stale'].flatMap((flag) =>
      ['0', '-5', '1.5m', `10${SPACE}m`, '', 'ten'].map((text) => [
        `sync --all ${flag}=${text}`,
        `option '${flag} <duration>' argument '${text.replace(SPACE, ' ')}' is invalid. Give a duration such as 60`,
      ]),
    ),
    ['sync --all --break-lock --max-age=0', "option '--max-age <duration>'"],
    ['sync --all --timeout 4033h', 'Give at most 4032h, which are 24 weeks.'],
    ['sync --all --concurrency 0', 'Give a whole number of 1 or more.'],
    ['runs --limit ten', 'Give a whole number of 1 or more.'],
    ['sources add x docs --every 1d', 'Give a duration such as 60'],
    // Names
    ['sync --al', '(Did you mean --all?)'],
    ['sync --all --dryrun', '(Did you mean --dry-run?)'],
    ['snyc', '(Did you mean sync?)'],
    ['source list', '(Did you mean sources?)'],
    ['runs --source dosc', 'Did you mean "docs"?'],
    ['sources remove wikki', 'Did you mean "wiki"?'],
    ['sources add docs docs', 'there is a source "docs" already'],
    ['sources add new nowhere', 'nowhere is not a git repository'],
    ['sources add new docs --ref mian', 'has no ref "mian"'],
    ['sources add new ext::sh', 'has an address that is not fetched'],
    // For machines
    ['sync --all --log xml', 'Allowed choices are text, json.'],
    ['sync --all --dry-run --ping http://monitor/check', '--ping and --dry-run exclude each other'],
    ['sync --all --break-lock --ping http://monitor/check', '--break-lock does not sync'],
    ['sync --all --ping', "option '--ping <url>' argument missing"],
    // The rest
    ['sources remove docs --yes', '--yes needs --purge'],
    ['migrate --dry-run --adopt x', '--dry-run and --adopt exclude each other'],
    ['migrate --adopt nowhere', 'there is no table nowhere'],
    ['init', 'is there already'],
  ] as [string, string][])('tidemark %s', async ([args, message], { expect }) => {
    const given = args.split(' ').map((arg) => arg.replace(SPACE, ' '))
    const { exitCode, stdout, stderr } = await world.runEach(given)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    // A run says when.
    expect(stderr).toMatch(/^(\d\S+Z )?tidemark: /)
    expect(stderr).toContain(message)
    expect(stderr.split('\n').length).toBeLessThanOrEqual(3)
  })
})

test('what was refused has changed nothing', () => {
  expect(readdirSync(world.folder).sort()).toEqual(['docs', 'embed.yaml', 'tidemark.yaml', 'typo.yaml', 'vite.git'])
})
