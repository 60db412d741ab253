import { subscribe } from 'node:diagnostics_channel'
import * as core from '@actions/core'
import type { LeaseEvent, LossReason } from '@tidemark/lock'

const STATE = 'leases'

/** Found by the clock of this process alone: the row may still name it. */
const UNCONFIRMED: readonly LossReason[] = ['expired', 'unreachable']

/**
 * Keeps in the state of the step which leases it holds, with their tokens. A step that is killed, or whose database was
 * away at its end, gives nothing back; its post step reads there what to give up, and finds nothing after any other.
 */
export function recordLeases(): void {
  const tokens: Record<string, string> = {}
  subscribe('tidemark:lease', (message) => {
    const event = message as LeaseEvent
    const { key, token } = event
    if (event.type === 'acquired') tokens[key] = String(token)
    else if (isOver(event) && tokens[key] === String(token)) delete tokens[key]
    else return
    core.saveState(STATE, tokens)
  })
}

const isOver = (event: LeaseEvent) =>
  event.type === 'released' || (event.type === 'lost' && !UNCONFIRMED.includes(event.reason))

/** The leases that the step before has left, `key → token`. */
export function readRecordedLeases(): Map<string, bigint> {
  const recorded = JSON.parse(core.getState(STATE) || '{}') as Record<string, string>
  return new Map(Object.entries(recorded).map(([key, token]) => [key, BigInt(token)]))
}
