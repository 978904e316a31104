import { outboxBytes, type OutboxMessage } from '../outbox-store.ts'

/** A copy whose bytes are their own: a browser stores the whole of a buffer of which they are a part. */
export function toStore(message: OutboxMessage): OutboxMessage {
  const { payload, properties } = message
  const { correlationData } = properties
  const ownProperties = correlationData === undefined ? properties : { ...properties, correlationData: correlationData.slice() }
  return { ...message, payload: payload.slice(), properties: ownProperties }
}

/** Whether a value read from the database is the message that its key says. */
export function isStoredMessage(value: unknown): value is OutboxMessage {
  if (typeof value !== 'object' || value === null) return false
  const message: { readonly [Name in keyof OutboxMessage]?: unknown } = value
  const { sequence, topicName, payload, qos, properties } = message
  return (
    typeof sequence === 'number' &&
    typeof topicName === 'string' &&
    payload instanceof Uint8Array &&
    (qos === 1 || qos === 2) &&
    typeof properties === 'object'
  )
}

/** The number of a message and what it counts, of its key. */
export function fromKey(key: unknown): readonly [sequence: number, bytes: number] | undefined {
  if (!isList(key)) return undefined
  const [sequence, bytes] = key
  return typeof sequence === 'number' && typeof bytes === 'number' ? [sequence, bytes] : undefined
}

function isList(key: unknown): key is readonly unknown[] {
  return Array.isArray(key)
}

export function toKey(message: OutboxMessage): [sequence: number, bytes: number] {
  return [message.sequence, outboxBytes(message)]
}

/** Numbers that follow one another, as the first and last of each run. */
export function runsOf(numbers: readonly number[]): (readonly [first: number, last: number])[] {
  const runs: [number, number][] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run !== undefined && number <= run[1] + 1) run[1] = number
    else runs.push([number, number])
  }
  return runs
}
