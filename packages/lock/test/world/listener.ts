/** A connection that listens, in the hands of the test. */
export function listener() {
  let wake: (payload: string) => void = () => {}
  const listening = Promise.withResolvers<void>()
  return {
    connection: {
      listen: (_: string, callback: (payload: string) => void) => {
        wake = callback
        return listening.promise
      },
    },
    listens: () => listening.resolve(),
    wake: (key: string) => wake(key),
  }
}
