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
  const faults = waves.flatMap(({ sources }) => [sources[1]!.serverFault, sources[3]!.serverFault])
  expect(faults).toEqual(expect.arrayContaining(['hang', 'drop', 'fail', 'slow']))
})
