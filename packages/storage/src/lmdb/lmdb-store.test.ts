import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '../store-suite.ts'
import { LmdbStore } from './lmdb-store.ts'

describeStore(
  'LmdbStore',
  () => {
    const path = mkdtempSync(join(tmpdir(), 'godwit-store-'))
    return {
      store: () => new LmdbStore({ path }),
      remove: () => rmSync(path, { recursive: true, force: true })
    }
  },
  { runs: 8 }
)
