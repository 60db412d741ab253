import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type RolldownPlugin } from 'rolldown'
import license from 'rollup-plugin-license'

// Its types are those of CommonJS, which a module sees as an object.
const thirdParty = license as unknown as (options: object) => RolldownPlugin

const entries = ['main', 'plan', 'sync', 'embed', 'break-stale', 'status', 'post']

/** An embedded database belongs to one machine, and the next job runs on another: its engine stays out. */
const postgresOnly: RolldownPlugin = {
  name: 'postgres-only',
  load: {
    filter: { id: /sync-core\/dist\/open-pglite\.js$/ },
    handler: () => 'export const openPglite = () => { throw new Error("there is no embedded database here") }',
  },
}

/** Tokens of GitHub's identity provider are not asked for, and the HTTP client for it is most of what starts slowly. */
const withoutOidc: RolldownPlugin = {
  name: 'without-oidc',
  load: {
    filter: { id: /@actions\/core\/lib\/oidc-utils\.js$/ },
    handler: () => 'export class OidcClient {}',
  },
}

/** Tells Node, wherever the bundle is unpacked, that it is made of modules. */
const packageFile: RolldownPlugin = {
  name: 'package-file',
  buildStart() {
    this.emitFile({ type: 'asset', fileName: 'package.json', source: '{ "type": "module" }\n' })
  },
}

/** The Markdown parser's machine code, for every platform that is installed: its loader looks beside itself first. */
const nativeParser: RolldownPlugin = {
  name: 'native-parser',
  buildStart() {
    const packages = fileURLToPath(new URL('../../node_modules/@bruits', import.meta.url))
    for (const file of globSync(`${packages}/satteri-*/*.node`)) {
      this.emitFile({ type: 'asset', fileName: basename(file), source: readFileSync(file) })
    }
  },
}

export default defineConfig({
  input: {
    ...Object.fromEntries(entries.map((name) => [name, `src/entry/${name}.ts`])),
    // A process of its own, which is looked for beside the module that starts it.
    'parser-process': '../sync-core/dist/parser-process.js',
  },
  platform: 'node',
  // GitHub has 24; who tries it by hand may have less.
  transform: { target: 'node22' },
  plugins: [
    postgresOnly,
    withoutOidc,
    packageFile,
    nativeParser,
    thirdParty({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } }),
  ],
  output: { dir: 'dist', cleanDir: true, chunkFileNames: '[name]-[hash].js', minify: true },
})
