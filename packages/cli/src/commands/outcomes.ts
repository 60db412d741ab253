/** Statuses and exit codes, for help. */
export const OUTCOMES = `Statuses:
  up_to_date, synced, first_sync, dry_run   done
  partial                                   stopped in time; the next run goes on from there
  blocked, blocked_by_failures              a person must decide
  busy                                      another process is at work on it
  failed                                    see the message

Exit codes:
  0 done or partial   1 failed   2 bad usage or configuration   3 blocked   4 busy
  130 after SIGINT    143 after SIGTERM
  With several sources the first of 1, 3, 4, 0 that applies.`
