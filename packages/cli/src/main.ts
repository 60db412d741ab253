import { runProgram } from './program.ts'

// A reader of the output may stop early, as `head` does, or be a terminal that is closed; the work goes on to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
}

await runProgram(process.argv.slice(2))
