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

/** The numbers of the processes whose command line holds a text, of those that one process has started itself. */
export function childPids(text: string, parent = process.pid): number[] {
  const tasks = readdirSync(`/proc/${parent}/task`)
  return tasks
    .flatMap((task) => read(`/proc/${parent}/task/${task}/children`).split(' ').filter(Boolean))
    .filter((pid) => commandLine(pid).includes(text))
    .map(Number)
}

/** Whether a process runs; one that has ended and was not waited for yet does not. */
export function isRunning(pid: number): boolean {
  return commandLine(String(pid)) !== ''
}

/** The processor time that a process has taken so far. */
export function cpuMs(pid: number): number {
  // After the name, which may hold anything: "utime" and "stime" are the 12th and 13th, in hundredths of a second.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
}

/** The command lines of the processes that this one has started, or one of those, and that still run. */
export function descendants(parent = process.pid): string[] {
  const tasks = readdirSync(`/proc/${parent}/task`)
  const children = tasks.flatMap((task) => read(`/proc/${parent}/task/${task}/children`).split(' ').filter(Boolean))
  return children.flatMap((pid) => {
    const line = commandLine(pid)
    return line === '' ? [] : [line, ...descendants(Number(pid))]
  })
}
