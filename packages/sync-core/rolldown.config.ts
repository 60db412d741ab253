import { defineConfig } from 'rolldown'
import license from 'rollup-plugin-license'

// After the compiler: two of its files take in what they import. Read from a hundred files, each of the libraries would be a
// fifth of a command that finds nothing new.
export default defineConfig({
  input: { execa: 'dist/bundled/execa.js', 'simple-git': 'dist/bundled/simple-git.js' },
  platform: 'node',
  transform: { target: 'node22' },
  plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } })],
  output: { dir: 'dist/bundled' },
})
