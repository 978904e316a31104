import { readdirSync } from 'node:fs'
import type { GodwitProcess } from '../interop/godwit-process.ts'
import { number, object } from '../interop/json.ts'
import { withinLimit } from '../interop/mailbox.ts'

const OBJECTS = [
  'connections',
  'sessions',
  'subscriptions',
  'sharedSubscriptions',
  'filterNodes',
  'durableQueues',
  'logConsumers',
  'messages',
  'deliveries',
  'timers'
] as const

export type LiveObjects = Readonly<Record<(typeof OBJECTS)[number], number>>

/** What the program holds, as `probe.ts` saw it after a collection of garbage. */
export interface ProcessState {
  readonly objects: LiveObjects
  readonly heapUsedBytes: number
  /** Buffers, which live outside of the heap. */
  readonly externalBytes: number
  readonly residentBytes: number
}

export async function askState({ child }: GodwitProcess): Promise<ProcessState> {
  const answer = new Promise<unknown>((resolve) => child.once('message', resolve))
  child.send('state')
  const state = object(await withinLimit(answer, 'the state of the program', 30_000), 'state')
  const objects = object(state['objects'], 'objects')
  const count = (name: (typeof OBJECTS)[number]): number => number(objects[name], name)
  return {
    objects: {
      connections: count('connections'),
      sessions: count('sessions'),
      subscriptions: count('subscriptions'),
      sharedSubscriptions: count('sharedSubscriptions'),
      filterNodes: count('filterNodes'),
      durableQueues: count('durableQueues'),
      logConsumers: count('logConsumers'),
      messages: count('messages'),
      deliveries: count('deliveries'),
      timers: count('timers')
    },
    heapUsedBytes: number(state['heapUsedBytes'], 'heapUsedBytes'),
    externalBytes: number(state['externalBytes'], 'externalBytes'),
    residentBytes: number(state['residentBytes'], 'residentBytes')
  }
}

/** How many files and sockets the program has open; undefined where the system does not tell. */
export function openHandles({ child }: GodwitProcess): number | undefined {
  return process.platform === 'linux' ? readdirSync(`/proc/${child.pid}/fd`).length : undefined
}
