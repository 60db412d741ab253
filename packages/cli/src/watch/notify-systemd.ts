import { execFile } from 'node:child_process'

/** Tells systemd that the service is ready, and again and again that it lives, where it has asked for that. */
export function notifySystemd(): Disposable {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env
  // Its own program: Node has no sockets of that kind.
  const notify = (...states: string[]) => void execFile('systemd-notify', states, () => {})
  if (!NOTIFY_SOCKET) return { [Symbol.dispose]() {} }
  notify('--ready', '--status=watching')
  const periodMs = Number(WATCHDOG_USEC) / 1_000
  const timer = periodMs > 0 ? setInterval(notify, periodMs / 3, 'WATCHDOG=1') : undefined
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      notify('--stopping')
    },
  }
}
