/** What an option of the command is called as an input of the Action; one that waits for a lease has none. */
const INPUTS: Readonly<Record<string, string>> = {
  'allow-mass-delete': 'allow-mass-delete: true',
  'retry-quarantined': 'retry-quarantined: true',
  full: 'full: true',
  'break-lock-if-stale': 'max-age:',
}

const COMMAND = /tidemark (sync|embed) --source ([A-Za-z\d][\w.-]*)((?: --[a-z-]+(?: \d+[smh])?)*)/g
const WAIT = /, or wait for it: tidemark \w+ --source \S+ --wait \d+[smh]/g
const BREAK = /tidemark locks break (?:search|embed):\S+ --max-age \d+[smh]/g

/**
 * A message or a next step as it is done with the Action: the inputs in the place of the command's options. A command
 * that the Action has no inputs for stays as it is.
 */
export function actionStep(text: string): string {
  return text
    .replaceAll(WAIT, '')
    .replaceAll('with --timeout', 'with the input timeout')
    .replaceAll('--concurrency 1', 'concurrency: 1')
    .replaceAll(BREAK, 'Leave it: its lease ends by itself within 90 s, and the next run goes on.')
    .replaceAll(COMMAND, (command, work: string, source: string, options: string) => {
      const given = [...options.matchAll(/--([a-z-]+)(?: (\d+[smh]))?/g)]
      if (given.some(([, name]) => !(name! in INPUTS))) return command
      const inputs = given.map(([, name, value]) => [INPUTS[name!], value].filter(Boolean).join(' '))
      const embeds = work === 'embed' ? ['embed: true'] : []
      return `the Action with ${[`source: ${source}`, ...embeds, ...inputs].join(', ')}`
    })
}
