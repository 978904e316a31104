#!/usr/bin/env node
/// <reference types="node" />
// Plain JavaScript, for any Node: an older one must get as far as saying that it is too old.
import process from 'node:process'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 11)) {
  console.error(`godwit: this is Node ${process.versions.node}; accepted is 24.11 or later`)
  process.exit(2)
}
await import('../dist/main.js')
