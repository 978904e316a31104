import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { fileOutbox } from '../../file-outbox.ts'
import { OutboxBench } from '../../outbox-suite/outbox-bench.ts'

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'godwit-outbox-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Opens file outboxes in a folder, and closes the last when the test ends. */
export function benchIn(path: string): OutboxBench {
  const bench = new OutboxBench({ store: () => fileOutbox(path) })
  onTestFinished(() => bench.close())
  return bench
}
