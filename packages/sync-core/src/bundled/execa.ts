/** The runner of processes, built into one file. */
export { execa } from 'execa'
