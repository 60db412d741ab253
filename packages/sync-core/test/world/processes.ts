import { readdirSync, readFileSync } from 'node:fs'

const read = (file: string) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // It has ended meanwhile.
    return ''
  }
}

const commandLine = (pid: string) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')

/** The command lines of all processes of this machine, as any of its users can read them. */
export function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
}

/** The command lines of the processes that this one has started, or one of those, and that still run. */
export function descendants(parent = process.pid): string[] {
  const tasks = readdirSync(`/proc/${parent}/task`)
  const children = tasks.flatMap((task) =>
    read(`/proc/${parent}/task/${task}/children`).split(' ').filter(Boolean),
  )
  return children.flatMap((pid) => {
    const line = commandLine(pid)
    return line === '' ? [] : [line, ...descendants(Number(pid))]
  })
}
