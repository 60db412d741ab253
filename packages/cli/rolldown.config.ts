import { defineConfig, type RolldownPlugin } from 'rolldown'
import license from 'rollup-plugin-license'

/** The same as the global one; but to import it reads all that it has, and makes streams that nobody asked for. */
const globalProcess: RolldownPlugin = {
  name: 'global-process',
  resolveId: { filter: { id: /^(node:)?process$/ }, handler: () => '\0process' },
  load: { filter: { id: /^\0process$/ }, handler: () => 'module.exports = globalThis.process' },
}

// Cron starts the command each minute: what it is made of is read from few files instead of three hundred, which
// takes a third of the time. What finds files of its own beside it stays outside.
export default defineConfig({
  input: {
    main: 'src/main.ts',
    'config/index': 'src/config/index.ts',
    'runtime/index': 'src/runtime/index.ts',
  },
  external: [/^@tidemark\//, 'execa'],
  platform: 'node',
  // The oldest that it promises to run on; the newer one here would read more.
  transform: { target: 'node22' },
  plugins: [globalProcess, license({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } })],
  output: {
    dir: 'dist',
    cleanDir: true,
    sourcemap: true,
    // What is loaded together is one file: to find a file takes longer than to compile it.
    codeSplitting: {
      groups: [
        {
          name: 'help',
          test: /src\/(usage-error|package|missing-database|output\/(terminal-text|format|format-problem|progress)|commands\/(flags|search|show|sync-flags)|config\/(duration|find-config|ping-url)|runtime\/(stop-on-signals|limit-heap))\.ts$|node_modules\/(pretty-ms|parse-ms)\//,
        },
        {
          name: 'run',
          test: /src\/(call|output\/(log|results|output|json-document)|config\/(load-config|document|expand|schema|select-sources)|runtime\/with-database)\.ts$|node_modules\/(zod\/(mini|v4\/(core|mini|locales))|yaml|p-map)\//,
        },
      ],
    },
  },
})
