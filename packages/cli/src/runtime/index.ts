/**
 * What every program that runs tidemark needs beside its configuration, the command and the Action alike: a database
 * that is closed whatever happens, the commits that refs name now, runs that stop on a signal, and lines that say what
 * they say and do nothing else.
 */
export { terminalLine } from '../output/terminal-text.ts'
export { breakSourceLeases } from './break-leases.ts'
export { describeStored, readInstallation, readStored } from './describe-sources.ts'
export { readRemoteHeads } from './remote-heads.ts'
export { type Stop, stopOnSignals } from './stop-on-signals.ts'
export { withDatabase } from './with-database.ts'
