/** Which leases age lets break, for help. */
export const BREAKING_RULE =
  'Without an age only one that has expired is broken; with one never a holder that showed life within three of its own heartbeats (45 s).'
