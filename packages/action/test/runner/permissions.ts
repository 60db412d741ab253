import { entries, get } from './read-workflow.ts'

const LEVELS = ['none', 'read', 'write']

/** What a job may do: that of each scope, or of all. */
type Permissions = (scope: string) => number

/** Refuses a called workflow that asks for more than its caller may give. @throws naming the job and what it asks for */
export function checkPermissions(caller: any, call: any, called: any): void {
  const given = get(call, 'permissions') ?? get(caller, 'permissions')
  // Where nothing is said, the settings of the repository decide.
  if (given === undefined) return
  const allowed = readPermissions(given)
  for (const [id, job] of entries(get(called, 'jobs'))) {
    const asked = get(job, 'permissions') ?? get(called, 'permissions')
    for (const [scope, level] of entries(asked)) {
      if (LEVELS.indexOf(String(level)) <= allowed(scope)) continue
      const most = LEVELS[allowed(scope)]
      throw new Error(
        `The nested job '${id}' is requesting '${scope}: ${level}', but is only allowed '${scope}: ${most}'.`,
      )
    }
  }
}

function readPermissions(token: any): Permissions {
  if (token.count === undefined) return () => LEVELS.indexOf(String(token).replace('-all', ''))
  const levels = new Map(entries(token).map(([scope, level]) => [scope, LEVELS.indexOf(String(level))]))
  return (scope) => levels.get(scope) ?? 0
}
