import { expect, test } from 'vitest'
import { checkRun } from '../../src/chaos/check-run.ts'
import type { WaveRun } from '../../src/chaos/inject-faults.ts'

const LOST = { status: 'partial', reason: 'lease_lost', bookmark: 'b' }
const SYNCED = { status: 'synced', bookmark: 'c' }
const FAILED = { status: 'failed', error: { code: 'FETCH_FAILED' } }

const run = (changes: object): WaveRun => ({
  ...{ name: 'run', pid: 7, source: 'docs', exitCode: 0, exitSignal: null, overdue: false, head: 'c', hit: 'none' },
  ...{ mayLoseLease: false, serverFault: null, stuck: false, result: SYNCED as never },
  ...changes,
})
const finished = { run: 'run', what: 'finished', key: 'sync:docs', holderPid: 7, bookmark: 'c' } as const

const findInvariants = (changes: object, notes = [finished]) =>
  [...checkRun(run(changes), 'left alone', notes)].map(([invariant]) => invariant)

test.each([
  ['nothing wrong with a run that says it is done and has moved the bookmark', {}, []],
  ['a lease that was lost although nothing was done to its holder', { result: LOST }, ['healthy']],
  ['nothing wrong with a lease that was lost in a pause', { result: LOST, hit: 'paused', mayLoseLease: true }, []],
  ['a run that holds on to what hangs', { result: LOST, hit: 'hung', mayLoseLease: true, stuck: true }, ['deadline']],
  ['a run that is killed by nobody', { result: null, exitCode: null, exitSignal: 'SIGKILL' }, ['ended']],
  ['nothing wrong with a run that was killed', { result: null, exitSignal: 'SIGKILL', hit: 'SIGKILL' }, []],
  ['a run that does not end', { result: null, overdue: true }, ['ended']],
  ['a fetch that fails from a server without a fault', { result: FAILED }, ['ended']],
  ['nothing wrong with one from a server that has one', { result: FAILED, serverFault: { mood: 'drop' } }, []],
])('finds %s', (_, changes, invariants) => {
  expect(findInvariants(changes)).toEqual(invariants)
})

test('finds a run that says it is done and has moved no bookmark, or to another commit', () => {
  expect(findInvariants({}, [])).toEqual(['bookmark'])
  expect(findInvariants({ head: 'd' })).toEqual(['bookmark'])
})

test('finds a run that goes on after its connections have hung until another had its lease', () => {
  expect(findInvariants({ hit: 'hung', mayLoseLease: true, result: FAILED, serverFault: {} }, [])).toEqual(['resumed'])
})
