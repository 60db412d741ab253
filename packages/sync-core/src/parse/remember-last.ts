/** A function that keeps its last answer: files come in the order of their paths, those of a folder together. */
export function rememberLast<T>(compute: (text: string) => T): (text: string) => T {
  let last: { text: string; answer: T } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, answer: compute(text) }
    return last.answer
  }
}
