import { defineConfig } from 'rolldown'

// One file: a program that starts often spends more time on finding twenty-five than on running them.
export default defineConfig({
  input: 'src/index.ts',
  external: [/^node:/],
  platform: 'node',
  transform: { target: 'node22' },
  output: { dir: 'dist', cleanDir: true, sourcemap: true },
})
