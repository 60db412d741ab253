import { defineConfig } from 'rolldown'
import license from 'rollup-plugin-license'

// After the compiler: one of its files takes in what it imports.
export default defineConfig({
  input: { execa: 'dist/git/execa.js' },
  platform: 'node',
  transform: { target: 'node22' },
  plugins: [license({ thirdParty: { output: 'dist/THIRD-PARTY-LICENSES.txt' } })],
  output: { dir: 'dist/git' },
})
