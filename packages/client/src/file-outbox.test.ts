import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileOutbox } from './file-outbox.ts'
import { describeOutbox } from './outbox-suite.ts'

describeOutbox(
  'fileOutbox',
  () => {
    const path = mkdtempSync(join(tmpdir(), 'godwit-outbox-'))
    return { store: () => fileOutbox(path), remove: () => rmSync(path, { recursive: true }) }
  },
  { runs: 3 }
)
