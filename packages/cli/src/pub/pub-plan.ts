import type { ClientOptions, OutboxStore } from '@godwit/client'
import type { Tell } from '../complain-of-client.ts'
import { connectionOf } from '../connection/connection.ts'
import { propertiesOf } from '../connection/properties.ts'
import { milliseconds, qualityOfService, wholeNumber } from '../flag-values.ts'
import { Misuse } from '../misuse.ts'
import type { PubFlags } from './pub-flags.ts'
import type { Publication } from './publication.ts'
import { publicationsOf } from './publications.ts'

const TIMEOUT_MS = 30_000
const REPEAT_MAX = 1_000_000_000

/** What the flags of `godwit pub` come to. */
export interface PubPlan {
  readonly urls: readonly string[]
  readonly options: ClientOptions
  readonly publications: AsyncIterable<Publication> | Iterable<Publication>
  readonly isDurable: boolean
  /** Between messages that are repeated. */
  readonly delayMs: number
  readonly timeoutMs: number
  /** Of the session that DISCONNECT leaves. */
  readonly sessionExpirySeconds: number | undefined
}

/** @throws {Misuse} */
export async function pubPlanOf(args: readonly string[], flags: PubFlags, tell: Tell): Promise<PubPlan> {
  const given = propertiesOf(flags.property)
  const { urls, topics, options } = await connectionOf(flags, given, tell)
  const isDurable = flags.outbox !== undefined
  const qos = flags.qos === undefined ? (isDurable ? 1 : 0) : qualityOfService('--qos', flags.qos)
  if (isDurable && qos === 0) throw new Misuse('--outbox keeps messages of QoS 1 and 2: --qos 0 goes without it')
  const timeoutMs = flags.timeout === undefined ? TIMEOUT_MS : milliseconds('--timeout', flags.timeout)
  const repeat = flags.repeat === undefined ? 1 : wholeNumber('--repeat', flags.repeat, 1, REPEAT_MAX)
  const { maxInflight, repeatDelay } = flags
  return {
    urls,
    publications: await publicationsOf(
      args,
      flags,
      topics,
      { ...given.publish, qos, retain: flags.retain === true },
      repeat,
      process.stdin
    ),
    isDurable,
    timeoutMs,
    delayMs: repeatDelay === undefined ? 0 : milliseconds('--repeat-delay', repeatDelay),
    sessionExpirySeconds: given.disconnect.sessionExpirySeconds,
    options: {
      ...options,
      connectTimeoutMs: Math.max(1, Math.min(timeoutMs, TIMEOUT_MS)),
      inflightMaximum: maxInflight === undefined ? undefined : wholeNumber('--max-inflight', maxInflight, 1, 65_000),
      whenOutboxFull: 'wait',
      outbox: flags.outbox === undefined ? undefined : await openOutbox(flags.outbox)
    }
  }
}

/** Only here is the store of files loaded. */
async function openOutbox(folder: string): Promise<OutboxStore> {
  if (folder === '') throw new Misuse('--outbox is ""; accepted is the path of a folder')
  const { fileOutbox } = await import('@godwit/client/file-outbox')
  return fileOutbox(folder)
}
