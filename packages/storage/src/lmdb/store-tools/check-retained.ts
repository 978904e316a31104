import { messageBytes } from '../../message-bytes.ts'
import { textKey, type Totals } from '../layout.ts'
import { readRetained } from '../record-codec.ts'
import { decodeAll, type Report } from './read-records.ts'
import type { StoreReader } from './store-reader.ts'

export interface RetainedSummary {
  readonly retainedMessages: number
  readonly retainedBytes: number
}

/** Retained messages, each in its place, and what they measure together. */
export function checkRetained(store: StoreReader, totals: Totals, report: Report): RetainedSummary {
  let retainedMessages = 0
  let retainedBytes = 0
  for (const { key, value } of store.entries('retained')) {
    retainedMessages++
    const retained = decodeAll('a retained message', value, report, readRetained)
    if (retained === undefined) continue
    const { message, bytes, sequence } = retained
    const what = `the message retained for ${JSON.stringify(message.topicName)}`
    retainedBytes += bytes
    if (!textKey(message.topicName).equals(key)) report(`${what} is in another's place`)
    if (bytes !== messageBytes(message)) report(`${what} says that it measures ${bytes} bytes; it is ${messageBytes(message)}`)
    if (sequence > totals.sequencesGiven) {
      report(`${what} has number ${sequence}, beyond ${totals.sequencesGiven}, the last that was given`)
    }
  }
  if (retainedBytes !== totals.retainedBytes) {
    report(`retained messages measure ${retainedBytes} bytes, and ${totals.retainedBytes} as the totals have it`)
  }
  return { retainedMessages, retainedBytes }
}
