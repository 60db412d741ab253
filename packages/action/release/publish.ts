/**
 * Publishes packed packages, those that others need first. A version that the registry has is passed over, so it may be
 * run again after any failure. It needs no packages.
 *
 * ```sh
 * node packages/action/release/publish.ts <folder of npm pack>
 * ```
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

interface Packed {
  readonly file: string
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const folder = process.argv[2] ?? '.'
const packages = new Map(
  globSync(`${folder}/*.tgz`)
    .map(readPacked)
    .map((each) => [each.name, each]),
)
if (packages.size === 0) throw new Error(`There is no package in ${folder}. Put them there with npm pack.`)
for (const { file, name, version } of [...packages.values()].sort((a, b) => depth(a) - depth(b))) {
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is published already`)
    continue
  }
  execFileSync('npm', ['publish', file, '--access', 'public'], { stdio: ['ignore', 'ignore', 'inherit'] })
  console.log(`${name}@${version} published`)
}

function readPacked(file: string): Packed {
  const json = execFileSync('tar', ['--extract', '--to-stdout', '--gzip', '--file', file, 'package/package.json'], {
    encoding: 'utf8',
  })
  return { ...JSON.parse(json), file }
}

/** How many of these packages lie below it, one on the other. */
function depth({ dependencies = {} }: Packed): number {
  const below = Object.keys(dependencies).flatMap((name) => packages.get(name) ?? [])
  return Math.max(0, ...below.map((each) => depth(each) + 1))
}

function isPublished(name: string, version: string): boolean {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], { encoding: 'utf8' })
  if (status === 0) return stdout.trim() !== ''
  if (stdout.includes('E404')) return false
  throw new Error(`It is not known whether ${name}@${version} is published. Run this again.\n${stdout}`)
}
