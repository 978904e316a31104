import { indexedDbOutbox } from '../indexed-db-outbox.ts'
import type { OutboxContents, OutboxStore } from '../outbox-store.ts'
import { OUTBOX_CHECKS } from '../outbox-suite/checks.ts'
import { historyCheck } from '../outbox-suite/history-check.ts'
import { OutboxBench, type OutboxPlace } from '../outbox-suite/outbox-bench.ts'
import { sample, samples } from '../outbox-suite/samples.ts'

/** A page with an outbox, and what a test has it do: everything crosses as JSON. */
export interface OutboxPage {
  /** Runs one check of the suite on an outbox of its own; rejects if it fails. */
  runCheck(group: string, name: string): Promise<void>
  runHistories(seed: number, runs: number): Promise<void>
  /** Opens an outbox; rejects with what it says if it cannot. */
  open(name: string): Promise<OutboxContents>
  close(): Promise<void>
  /** Commits so many messages of so many bytes, from a number on, together. */
  put(first: number, messages: number, payloadBytes: number): Promise<void>
  remove(first: number, last: number): Promise<void>
  /** Commits one message after another until the page ends, telling `globalThis.tellStored` of each that is stored. */
  putForever(first: number): Promise<void>
  /** The numbers of all messages. */
  read(): Promise<readonly number[]>
}

export function outboxPage(): OutboxPage {
  let count = 0
  let opened: OutboxStore | undefined
  const bench = new OutboxBench({ store })

  function store(): OutboxStore {
    if (opened === undefined) throw new Error('the page has opened no outbox')
    return opened
  }

  function makePlace(): OutboxPlace {
    const name = `check-${count++}`
    return { store: () => indexedDbOutbox(name) }
  }

  return {
    async runCheck(group, name): Promise<void> {
      const check = OUTBOX_CHECKS[group]?.find((each) => each.name === name)
      if (check === undefined) throw new Error(`there is no check ${name}`)
      const place = new OutboxBench(makePlace())
      try {
        await check.run(place)
      } finally {
        await place.remove()
      }
    },
    runHistories: (seed, runs) => historyCheck(makePlace, { seed, runs }).run(),
    open(name): Promise<OutboxContents> {
      opened = indexedDbOutbox(name)
      return bench.open()
    },
    close: () => bench.close(),
    put: (first, messages, payloadBytes) =>
      bench.commit({ put: samples(first, first + messages - 1, { payload: new Uint8Array(payloadBytes) }) }),
    remove: (first, last) => bench.commit({ remove: samples(first, last).map(({ sequence }) => sequence) }),
    async putForever(first): Promise<void> {
      const { tellStored }: { readonly tellStored?: (sequence: number) => unknown; readonly fetch: unknown } = globalThis
      for (let sequence = first; ; sequence++) {
        await bench.commit({ put: [sample(sequence)] })
        tellStored?.(sequence)
      }
    },
    async read(): Promise<readonly number[]> {
      return (await bench.readAll()).map(({ sequence }) => sequence)
    }
  }
}
