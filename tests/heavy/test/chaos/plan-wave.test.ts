import { expect, test } from 'vitest'
import { planWave } from '../../src/chaos/plan-wave.ts'

test('a seed replays the plan of every wave, and another seed makes another', () => {
  expect(planWave(7, 3, 4)).toEqual(planWave(7, 3, 4))
  expect(planWave(8, 3, 4)).not.toEqual(planWave(7, 3, 4))
})

test('three waves have every fault of servers in them, and every fault of databases', () => {
  const waves = [1, 2, 3].map((wave) => planWave(1, wave, 4))
  expect(new Set(waves.map(({ database }) => database)).size).toBe(3)
  // The second and the fourth have a server.
  const faults = waves.flatMap(({ sources }) => [1, 3].map((n) => sources[n]!.storm[0]!.serverFault?.mood))
  expect(faults).toEqual(expect.arrayContaining(['hang', 'drop', 'fail', 'slow']))
})

test('each wave has every planned moment, and each begins with a run that is left alone', () => {
  for (const wave of [1, 2, 3, 4]) {
    const moments = planWave(wave, wave, 4).sources.map(({ moments }) => moments)
    const faults = moments.flat().map(({ fault, after }) => `${fault} ${after}`)
    const planned = ['hung batch', 'hung finish', 'slow batch', 'timeout batch', 'SIGTERM batch', 'SIGKILL finish']
    expect(faults).toEqual(expect.arrayContaining(planned))
    expect(moments.map(([first]) => first!.fault)).toEqual(Array(4).fill('none'))
  }
})
