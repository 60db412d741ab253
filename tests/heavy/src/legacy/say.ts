/** What a driver tells the harness, a line of JSON each; a pipe takes it at once, so that a kill loses none. */
export type Said =
  | { readonly begin: string }
  | { readonly read: string; readonly hash: string }
  | { readonly end: string; readonly status: 'done' | 'partial' }
  | { readonly end: string; readonly status: 'locked'; readonly holderPid: number }

export function say(what: Said): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}
