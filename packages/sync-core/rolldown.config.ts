import { defineConfig } from 'rolldown'
import license from 'rollup-plugin-license'

// Cron starts a command that uses this each minute: what it takes is read from few files instead of two hundred, which
// take more time to find than to compile. Outside stays what brings machine code, is large and
// seldom needed, or talks to a server: who installs this may need its next release before ours.
export default defineConfig({
  input: {
    index: 'src/index.ts',
    // By its name: the Action leaves the embedded database out.
    'open-pglite': 'src/database/pglite/open.ts',
    // Processes of their own, which are looked for beside what starts them.
    'pglite-process': 'src/database/pglite/pglite-process.ts',
    'parser-process': 'src/parse/parser-process.ts',
  },
  external: [
    /^@tidemark\//,
    /^@electric-sql\//,
    'fs-native-extensions',
    'satteri',
    'ai',
    /^@ai-sdk\//,
    'pg',
    'pg-protocol',
  ],
  platform: 'node',
  preserveEntrySignatures: 'allow-extension', // As includeDependenciesRecursively below asks for.
  transform: { target: 'node22' },
  plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } })],
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: '[name].js',
    sourcemap: true,
    // What is loaded with the index is one file: to find a file takes longer than to compile it. What the processes have
    // of it stays outside.
    codeSplitting: {
      groups: [
        {
          name: 'shared',
          tags: ['$initial'],
          test: /src\/(?!parse\/|exit-with-parent|fork-sibling|sync-error|redact|url-parts|database\/pglite\/(?!in-use))|pretty-ms|parse-ms|fastest-levenshtein/,
          includeDependenciesRecursively: false,
        },
      ],
    },
  },
})
