import { mergeConfig } from 'vitest/config'
import config from '../../vitest.config.ts'

// Stryker reports by itself, and the totals of CI are not its.
export default mergeConfig(config, { test: { reporters: [] } })
