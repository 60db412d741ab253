/** The runner of processes, built into one file: read from a hundred, it is a fifth of a command that finds nothing new. */
export { ExecaError, execa } from 'execa'
