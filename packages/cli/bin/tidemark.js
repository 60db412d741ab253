#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) < 22) {
  process.stderr.write(`tidemark: this is Node ${process.versions.node}, and tidemark needs 22 or newer\n`)
  process.exitCode = 1
} else await import('../dist/main.js')
