import { mergeConfig } from 'vitest/config'
import config from '../../vitest.config.ts'

// A mutant of JavaScript is the same on every engine.
process.env.TEST_ENGINES ??= 'postgres'

// Stryker reports by itself, and the totals of CI are not its.
export default mergeConfig(config, { test: { reporters: [] } })
