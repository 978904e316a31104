/**
 * A process with an open file outbox, for tests that end it, or what it needs:
 *
 *     node outbox-process.ts FOLDER COMMITS MESSAGES PAYLOAD_BYTES [exits | removes]
 *
 * Says `open SEQUENCE`, the next number, and then makes so many commits of so many messages each, every one of which also says that it was
 * received: `committed SEQUENCE` once one has resolved, or `failed REASON`, after which it tries the same again. Then says `done`. With
 * `exits` it ends with status 3 while the first commit is under way. With `removes` it removes everything after the first failure, saying
 * `removed`. Closes the outbox and ends when its input ends.
 */
import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { fileOutbox } from '../../file-outbox.ts'
import type { OutboxChanges } from '../../outbox-store.ts'
import { sample } from '../../outbox-suite/samples.ts'

const [path = '', commits = '0', messages = '0', payloadBytes = '0', manner] = process.argv.slice(2)
const payload = new Uint8Array(Number(payloadBytes))
const nothing: OutboxChanges = { clientId: undefined, put: [], release: [], remove: [], received: [], forgotten: [] }

const outbox = fileOutbox(path)
const { nextSequence } = await outbox.open()
say(`open ${nextSequence}`)
let next = nextSequence
for (let left = Number(commits); left > 0; left--) {
  const put = Array.from({ length: Number(messages) }, () => sample(next++, { topicName: 't', payload }))
  const committed = keepCommitting({ ...nothing, put, received: [next % 0xffff] })
  if (manner === 'exits') {
    await turn()
    process.exit(3)
  }
  await committed
  say(`committed ${next - 1}`)
}
say('done')
for await (const _ of process.stdin);
await outbox.close()

async function keepCommitting(changes: OutboxChanges): Promise<void> {
  for (;;) {
    try {
      await outbox.commit(changes)
      return
    } catch (error) {
      say(`failed ${String(error)}`)
    }
    if (manner === 'removes') await removeEverything()
  }
}

async function removeEverything(): Promise<void> {
  for (;;) {
    const held = await outbox.read(0, { messages: 100, bytes: Infinity })
    if (held.length === 0) break
    await outbox.commit({ ...nothing, remove: held.map(({ sequence }) => sequence) })
  }
  say('removed')
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
