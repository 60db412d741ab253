/** What may still be written when a run has been stopped: little, and a database that is gone is not waited for. */
export const AFTERWARDS_MS = 1_000
