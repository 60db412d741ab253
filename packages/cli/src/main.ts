import { runProgram } from './program.ts'

// Whoever reads the output may have read enough, as `head` does, or be gone; what is under way goes on to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

await runProgram(process.argv.slice(2))
