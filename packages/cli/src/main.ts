import { enableCompileCache } from 'node:module'
import { compileCacheDirectory } from './compile-cache.ts'

// Before anything else is loaded: compiling is most of the time it takes to start.
const directory = compileCacheDirectory(process.env)
if (directory !== undefined) enableCompileCache(directory)

const { run } = await import('./run.ts')
await run(process.argv)
