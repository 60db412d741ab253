import type { Masks } from './masks.ts'

export interface Annotation {
  readonly level: 'notice' | 'warning' | 'error'
  readonly title: string
  readonly message: string
}

/** The log of a step: what was printed, masked, and the annotations that it asked for. */
export interface StepLog {
  readonly lines: string[]
  readonly annotations: Annotation[]
  /** Takes a line that a process has printed, and does what it says where it is a command. */
  print(line: string): void
  annotate(level: Annotation['level'], message: string, title?: string): void
}

/** Keeps what a step prints. */
export function createLog(masks: Masks): StepLog {
  const lines: string[] = []
  const annotations: Annotation[] = []
  /** The word that ends a part of the log in which nothing is a command. */
  let stopped: string | null = null
  const annotate: StepLog['annotate'] = (level, message, title = '') => {
    annotations.push({ level, title: masks.mask(title), message: masks.mask(message) })
    lines.push(masks.mask(`##[${level}]${message}`))
  }
  const print = (line: string) => {
    const [, name, properties = '', text = ''] = /^\s*::([\w-]+)(?: (.*?))?::(.*)$/.exec(line) ?? []
    if (stopped !== null) {
      if (line.trim() === `::${stopped}::`) stopped = null
      else lines.push(masks.mask(line))
      return
    }
    const message = unescaped(text)
    switch (name) {
      case 'add-mask':
        if (message.trim() === '') return annotate('warning', "Can't add secret mask for empty string")
        return masks.add(message)
      case 'notice':
      case 'warning':
      case 'error':
        return annotate(name, message, unescapeProperty(/(?:^|,)title=([^,]*)/.exec(properties)?.[1] ?? ''))
      case 'stop-commands':
        stopped = message
        return
      case 'group':
        lines.push(masks.mask(`##[group]${message}`))
        return
      case 'endgroup':
      case 'debug':
      case 'echo':
      case 'add-matcher':
      case 'remove-matcher':
        return
      case 'set-output':
      case 'save-state':
      case 'set-env':
      case 'add-path':
        return annotate('error', `The command ${name} is disabled: write to the file of it instead`)
      default:
        lines.push(masks.mask(line))
    }
  }
  return { lines, annotations, print, annotate }
}

const unescaped = (text: string) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
const unescapeProperty = (text: string) => unescaped(text.replaceAll('%3A', ':').replaceAll('%2C', ','))
