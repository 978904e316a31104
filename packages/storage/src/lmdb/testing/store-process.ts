/**
 * A process with an open store, for tests that end it, or what it needs:
 *
 *     node store-process.ts FOLDER MESSAGES PAYLOAD_BYTES [cuts | waits | exits]
 *
 * Says `open`, and then, one line each, `committed N SEQUENCE` (everything up to the sequence number was in commit N or
 * before) and `failed N`. Appends so many messages to the queue of `#`, at most 200 unacknowledged at a time, in commits
 * that also move the cursor of session `c` to the last of them; then says `done` and stays. With `cuts`: appends nothing
 * while something is wrong with the store, but says `cuts` and cuts the queue to nothing. With `waits`: appends nothing
 * meanwhile, says `waits`, and changes nothing. With `exits`: ends with status 3 while the first commit is in flight.
 * Closes the store and ends when its input ends.
 */
import { writeSync } from 'node:fs'
import { message, progress, session } from '../../suite/samples.ts'
import { LmdbStore } from '../lmdb-store.ts'

const OUTSTANDING_MAX = 200

const [path = '', messages = '0', payloadBytes = '0', manner] = process.argv.slice(2)

class Writer {
  readonly #store = new LmdbStore({ path })
  readonly #body = message('t', new Uint8Array(Number(payloadBytes)))
  readonly #inCommit = new Map<number, number>()
  #queue = 0
  #left = Number(messages)
  #acknowledged = 0
  #hasPaused = false

  async run(): Promise<void> {
    const store = this.#store
    await store.open({
      onCommitted: (commit) => this.#acknowledge(commit),
      onCommitFailed: (commit) => say(`failed ${commit}`)
    })
    say('open')
    this.#queue = store.openQueue('#')
    store.putSession(session('c'))
    this.#acknowledged = store.lastSequence
    this.#fill()
    // The commit begins at the end of this turn.
    if (manner === 'exits') setImmediate(() => process.exit(3))
    for await (const _ of process.stdin);
    await store.close()
  }

  #fill(): void {
    const store = this.#store
    const commit = store.gatheringCommit
    while (this.#left > 0 && store.lastSequence - this.#acknowledged < OUTSTANDING_MAX) {
      this.#inCommit.set(commit, store.append(this.#body, [this.#queue]))
      this.#left--
    }
    store.touch({ kind: 'session', key: 'c', progress: () => progress(store.lastSequence) })
    store.hasten()
  }

  #acknowledge(commit: number): void {
    let sequence = this.#acknowledged
    // A commit makes durable what those before it failed to.
    for (const [earlier, last] of this.#inCommit) {
      if (earlier > commit) break
      sequence = last
      this.#inCommit.delete(earlier)
    }
    const isNews = sequence > this.#acknowledged
    this.#acknowledged = sequence
    say(`committed ${commit} ${sequence}`)
    if (this.#left === 0 && isNews && sequence === this.#store.lastSequence) say('done')
    else if (manner === 'cuts' && this.#store.failure !== undefined) this.#cut()
    else if (manner === 'waits' && this.#store.failure !== undefined) this.#wait()
    else if ((isNews || this.#hasPaused) && this.#left > 0) this.#fill()
  }

  #wait(): void {
    say('waits')
    this.#hasPaused = true
  }

  #cut(): void {
    say('cuts')
    this.#hasPaused = true
    this.#store.trimQueue(this.#queue, this.#store.lastSequence)
  }
}

/** Waits where the test is slow to read: a full pipe is an error otherwise. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
    }
  }
}

await new Writer().run()
