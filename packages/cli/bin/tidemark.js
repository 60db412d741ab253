#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

// Compiled code is kept for the next start: with nothing to do, that saves a quarter of the time. In the user's own
// folder, because others may write to the one that Node would choose; where there is none, all goes on without.
const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
if (isAbsolute(caches) && existsSync(dirname(caches))) module.enableCompileCache?.(join(caches, 'tidemark'))

if (Number(process.versions.node.split('.')[0]) < 22) {
  process.stderr.write(`tidemark: this is Node ${process.versions.node}, and tidemark needs 22 or newer\n`)
  process.exitCode = 1
} else await import('../dist/main.js')
