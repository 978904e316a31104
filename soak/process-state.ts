import { readdirSync } from 'node:fs'
import type { GodwitProcess } from '../interop/godwit-process.ts'
import { type Json, number, object } from '../interop/json.ts'
import { withinLimit } from '../interop/mailbox.ts'
import type { LiveObject, LiveObjects } from './live-objects.ts'

/** What the program holds, as `probe.ts` saw it after a collection of garbage. */
export interface ProcessState {
  readonly objects: LiveObjects
  readonly heapUsedBytes: number
  /** Buffers, which live outside of the heap. */
  readonly externalBytes: number
  readonly residentBytes: number
}

export async function askState(godwit: GodwitProcess): Promise<ProcessState> {
  const state = await ask(godwit, 'everything')
  const objects = object(state['objects'], 'objects')
  const count = (name: LiveObject): number => number(objects[name], name)
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

/** How many objects of one kind are alive. Each answer costs the program a collection of its whole heap. */
export async function askCount(godwit: GodwitProcess, name: LiveObject): Promise<number> {
  return number(object((await ask(godwit, name))['objects'], 'objects')[name], name)
}

/** How many files and sockets the program has open; undefined where the system does not tell. */
export function openHandles({ child }: GodwitProcess): number | undefined {
  return process.platform === 'linux' ? readdirSync(`/proc/${child.pid}/fd`).length : undefined
}

async function ask({ child }: GodwitProcess, question: LiveObject | 'everything'): Promise<Json> {
  const answer = new Promise<unknown>((resolve) => child.once('message', resolve))
  child.send(question)
  return object(await withinLimit(answer, 'the state of the program', 30_000), 'state')
}
