import { mergeConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import config from '../../vitest.config.ts'

// A mutant of JavaScript is the same on every engine.
process.env.TEST_ENGINES ??= 'postgres'

/** A run ends with the first test that fails: most mutants are noticed by tests that take no time. */
class ShortestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse()
  }
}

// Stryker reports by itself, and the totals of CI are not its.
const merged = mergeConfig(config, { test: { reporters: [], sequence: { sequencer: ShortestFirst } } })
// For one source file, whose own tests are enough: see survivors.md.
if (process.env.TEST_FILES) merged.test.include = process.env.TEST_FILES.split(' ')

export default merged
