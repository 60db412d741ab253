import prettyMs from 'pretty-ms'

/** `12s`, `3m 5s`, `2h 10m`. */
export const formatDuration = (ms: number) => prettyMs(ms, { unitCount: 2, secondsDecimalDigits: 0 })
