import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { rolldown } from 'rolldown'
import { describe, expect, test } from 'vitest'
import config from '../rolldown.config.ts'
import { actionWorld } from './world/action-world.ts'
import { PACKAGE } from './world/runner.ts'

const DIST = join(PACKAGE, 'dist')
const scripts = readdirSync(DIST).filter((name) => name.endsWith('.js'))

/** Every file of a folder with what is in it. */
const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]))

describe('the bundle', () => {
  test('is byte for byte what its source builds', async () => {
    const built = mkdtempSync(join(tmpdir(), 'tidemark-dist-'))
    const { output, ...input } = config as any
    // It writes beside the bundle, wherever that is.
    const plugins = input.plugins.filter(({ name }: { name: string }) => name !== 'rollup-plugin-license')
    await using bundle = await rolldown({ ...input, plugins, cwd: PACKAGE })
    await bundle.write({ ...output, dir: built })
    const { 'THIRD-PARTY-LICENSES.txt': licenses, ...dist } = contents(DIST)
    expect(Object.keys(contents(built))).toEqual(Object.keys(dist))
    expect(contents(built)).toEqual(dist)
    expect(Buffer.from(licenses!, 'base64').toString()).toContain('satteri')
    rmSync(built, { recursive: true })
  })

  test('has no embedded database in it and is under 3 MB', () => {
    const total = scripts.reduce((sum, name) => sum + statSync(join(DIST, name)).size, 0)
    expect(total).toBeLessThan(3_000_000)
    for (const name of scripts) {
      expect(readFileSync(join(DIST, name), 'utf8')).not.toMatch(/@electric-sql|fs-native-extensions|\.wasm/)
    }
  })

  test('needs nothing but itself and the machine code of its parser', () => {
    for (const name of scripts) {
      const text = readFileSync(join(DIST, name), 'utf8')
      const imports = [...text.matchAll(/(?:^|[;}])import(?:[^`'"();]*from)?\s*(["'`])(.+?)\1/g)].map(
        ([, , from]) => from!,
      )
      for (const from of imports) expect(from).toMatch(/^(node:|\.\/|[a-z_]+$|[a-z]+\/promises$)/)
    }
    expect(readdirSync(DIST).filter((name) => name.endsWith('.node'))).not.toEqual([])
  })

  test('starts to sync in under 300 ms of processor time', async () => {
    const tell = 'process.on("exit",()=>process.stderr.write(JSON.stringify(process.cpuUsage())))'
    const args = ['--import', `data:text/javascript,${tell}`, join(DIST, 'sync.js')]
    let bestMs = Number.POSITIVE_INFINITY
    // The least of some: neighbours on the same cores make it seem more.
    for (let attempt = 0; attempt < 20 && bestMs >= 300; attempt++) {
      const env = { INPUT_TIMEOUT: 'never' }
      const { stdout, stderr } = await execa(process.execPath, args, { reject: false, env })
      expect(stdout).toContain('::error::the input timeout')
      const { user, system } = JSON.parse(stderr)
      bestMs = Math.min(bestMs, (user + system) / 1000)
    }
    expect(bestMs).toBeLessThan(300)
  })

  test('parses a large file in a process of its own, which it finds beside itself', async () => {
    await using world = await actionWorld()
    world.commit('docs', { 'large.md': `# Large\n\n${'word '.repeat(20_000)}` })
    world.configure({ docs: { repo: 'docs' } })
    expect(await world.run({ uses: 'sync' })).toMatchObject({ outputs: { status: 'first_sync' } })
    expect(await world.pool.query('SELECT title FROM tidemark.pages')).toMatchObject({
      rows: [{ title: 'Large' }],
    })
  })
})
