import { runAction } from './action.ts'
import { type Contexts, resolve, resolveTexts } from './expressions.ts'
import { condition, get, items } from './read-workflow.ts'
import { runScript } from './script.ts'
import type { Step } from './step.ts'

/** The steps of a job or of a composite action. @param home folder of the repository that they are written in */
export function readSteps(sequence: any, home: string): Step[] {
  return items(sequence).map((token): Step => {
    const uses = get(token, 'uses')
    const id = get(token, 'id')
    const name = get(token, 'name') ?? uses ?? 'run'
    return {
      name: String(name),
      id: id && String(id),
      condition: condition(get(token, 'if')),
      env: (contexts: Contexts) => resolveTexts(get(token, 'env'), contexts),
      continueOnError: (contexts) => resolve(get(token, 'continue-on-error'), contexts) === true,
      timeoutMinutes: (contexts) => resolve(get(token, 'timeout-minutes'), contexts),
      run: (running) => (uses ? runAction(String(uses), token, home, running) : runScript(token, running)),
    }
  })
}
