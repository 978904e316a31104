import type { ErrorReasonCode } from '@godwit/protocol'
import type { ClientErrorCode } from '@godwit/client'
import type { RecordableHistogram } from 'node:perf_hooks'
import type { ConnectionFlags } from '../connection/connection-flags.ts'
import type { Load } from './load.ts'
import type { PublishedCount, StreamFindings } from './verification.ts'

/** What a thread is told when it starts: its part of a load. */
export interface ThreadTask {
  readonly thread: number
  readonly threads: number
  readonly flags: ConnectionFlags
  readonly load: Load
  /** Marks the payloads and Client Identifiers of this run. */
  readonly run: number
  readonly shared: SharedProgress
}

/** What threads tell one another while they run, without messages. */
export interface SharedProgress {
  /** Deliveries of each publisher's messages, over all subscribers; wraps around. */
  readonly delivered: Int32Array<SharedArrayBuffer>
  /** One for each thread: it changes when there are deliveries for the publishers of that thread. */
  readonly bells: Int32Array<SharedArrayBuffer>
}

export type ThreadCommand =
  /** Connects clients, subscribes, and answers when all is done. Of `durable`: the sessions, which are left again, and the publishers. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'publish' }
  /** `durable`: the sessions come back. */
  | { readonly kind: 'return' }
  | { readonly kind: 'sample' }
  | { readonly kind: 'stop' }
  /** Closes what is open. `published`: what each publisher has published. */
  | { readonly kind: 'finish'; readonly published: readonly number[] }

/** What has happened in a thread since it started; latencies, since the sample before. */
export interface ThreadSample {
  readonly connections: number
  readonly published: number
  readonly acknowledged: number
  /** Published, and neither acknowledged nor failed. */
  readonly underWay: number
  readonly received: number
  readonly failed: number
  readonly disconnects: number
  /** Closed loops that went on without what they had waited for. */
  readonly writtenOff: number
  /** Of the last connection, acknowledgement and delivery, in milliseconds since the Unix epoch; 0: there was none. */
  readonly lastConnectionAtMs: number
  readonly lastAcknowledgementAtMs: number
  readonly lastDeliveryAtMs: number
  /** All messages that were asked for have been published. */
  readonly isDone: boolean
  readonly errors: readonly (readonly [message: string, count: number])[]
  readonly connecting: RecordableHistogram
  readonly acknowledging: RecordableHistogram
  readonly delivering: RecordableHistogram
  readonly own: OwnLoad
}

/** How busy the thread itself was. */
interface OwnLoad {
  readonly cpuMs: number
  /** Of its event loop, since it started: what it did not wait, and what it did. */
  readonly activeMs: number
  readonly idleMs: number
  /** The most that a message was behind its time by the thread's own fault, since the sample before. */
  readonly lagMs: number
}

interface ThreadFailure {
  readonly code: ClientErrorCode
  readonly message: string
  readonly reasonCode: ErrorReasonCode | undefined
}

export interface ThreadFindings {
  readonly streams: readonly StreamFindings[]
  readonly foreign: number
}

/** Answers, one to each command. */
export type ThreadReply =
  | { readonly kind: 'done' }
  /** What a client ran into. */
  | { readonly kind: 'failed'; readonly failure: ThreadFailure }
  | { readonly kind: 'sample'; readonly sample: ThreadSample }
  | { readonly kind: 'stopped'; readonly counts: readonly PublishedCount[] }
  | { readonly kind: 'finished'; readonly findings: ThreadFindings }

/** With the number of the command that it answers. */
export interface NumberedReply {
  readonly number: number
  readonly reply: ThreadReply
}

export interface NumberedCommand {
  readonly number: number
  readonly command: ThreadCommand
}
