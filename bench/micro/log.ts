import { MemoryStore, type StoredMessage } from '@godwit/storage'
import type { Measurement } from './measurement.ts'

const MESSAGES = 200_000
const SLICE = 64

function message(topicName: string): StoredMessage {
  return {
    topicName,
    payload: new Uint8Array(64),
    qos: 1,
    retain: false,
    properties: {},
    publisherClientId: 'bench',
    publishedAtMs: 0,
    expiresAtMs: Infinity
  }
}

async function openStore(): Promise<MemoryStore> {
  const store = new MemoryStore()
  await store.open({
    onCommitted() {},
    onCommitFailed(commit, error) {
      throw new Error(`commit ${commit} failed`, { cause: error })
    }
  })
  return store
}

/** A store whose queues hold `MESSAGES` entries, each of which `held` of them hold. */
async function filledStore(queueCount: number, held: number): Promise<{ store: MemoryStore; queues: number[] }> {
  const store = await openStore()
  const queues = Array.from({ length: queueCount }, (_, index) => store.openQueue(`bench/${index}/+`))
  const body = message('bench/0/topic')
  for (let count = 0; count < MESSAGES; count++) {
    store.append(
      body,
      Array.from({ length: held }, (_, index) => queues[(count + index) % queueCount] ?? 0)
    )
  }
  return { store, queues }
}

function appending(title: string, queueCount: number): Measurement {
  return {
    title,
    operations: MESSAGES,
    async prepare() {
      const store = await openStore()
      const queues = Array.from({ length: queueCount }, (_, index) => store.openQueue(`bench/${index}/+`))
      const body = message('bench/0/topic')
      return () => {
        for (let count = 0; count < MESSAGES; count++) store.append(body, queues)
      }
    }
  }
}

function reading(title: string, queueCount: number, held: number): Measurement {
  return {
    title,
    operations: MESSAGES,
    async prepare() {
      const { store, queues } = await filledStore(queueCount, held)
      return () => {
        let after = 0
        for (;;) {
          const slice = store.read(
            queues.map((queue) => ({ queue, after })),
            SLICE
          )
          const last = slice.at(-1)
          if (last === undefined) break
          after = last.sequence
        }
      }
    }
  }
}

export const logMeasurements: readonly Measurement[] = [
  appending('append to no queue', 0),
  appending('append to 1 queue', 1),
  appending('append to 4 queues', 4),
  reading(`read 1 queue, ${SLICE} at a time`, 1, 1),
  reading(`read 4 queues, each entry in 2, ${SLICE} at a time`, 4, 2),
  reading(`read 100 queues, each entry in 2, ${SLICE} at a time`, 100, 2),
  {
    title: 'append, read at the end and trim, one by one',
    operations: MESSAGES,
    async prepare() {
      const store = await openStore()
      const queue = store.openQueue('bench/+')
      const body = message('bench/topic')
      return () => {
        for (let count = 0; count < MESSAGES; count++) {
          const sequence = store.append(body, [queue])
          store.read([{ queue, after: sequence - 1 }], SLICE)
          store.trimQueue(queue, sequence)
        }
      }
    }
  },
  {
    title: `trim, one by one, ${MESSAGES.toLocaleString('en')} held`,
    operations: MESSAGES,
    async prepare() {
      const { store, queues } = await filledStore(1, 1)
      const queue = queues[0] ?? 0
      const last = store.lastSequence
      return () => {
        for (let through = last - MESSAGES + 1; through <= last; through++) store.trimQueue(queue, through)
      }
    }
  },
  {
    title: `backlog, ${MESSAGES.toLocaleString('en')} held`,
    operations: MESSAGES,
    async prepare() {
      const { store, queues } = await filledStore(1, 1)
      const queue = queues[0] ?? 0
      return () => {
        for (let after = 0; after < MESSAGES; after++) store.backlog({ queue, after })
      }
    }
  },
  {
    title: 'retain a new topic, up to 1,000,000 in no order',
    operations: 1_000_000,
    rounds: 3,
    async prepare() {
      const store = await openStore()
      // 611,953 has no factor in common with 1,000,000: every device once.
      const messages = Array.from({ length: 1_000_000 }, (_, index) => message(`devices/${(index * 611_953) % 1_000_000}/state`))
      return () => {
        for (const retained of messages) store.putRetained(retained, 1)
      }
    }
  },
  {
    title: 'scan 1,000,000 retained messages, 100 a page',
    operations: 1_000_000,
    rounds: 3,
    async prepare() {
      const store = await openStore()
      for (let index = 0; index < 1_000_000; index++) {
        store.putRetained(message(`devices/${(index * 611_953) % 1_000_000}/state`), 1)
      }
      return () => {
        let after: string | undefined
        do after = store.readRetained('devices/+/state', after, 100).next
        while (after !== undefined)
      }
    }
  }
]
