import type { ProgressRecord, QueueId, Store, StoredMessage, SubscriptionRecord } from '@godwit/storage'

/** A mistake that a store could make, planted to see whether it is found. */
export type DiskFault =
  | 'acknowledges-early'
  | 'cursor-past-unfinished'
  | 'forgets-finished'
  | 'forgets-inflight'
  | 'forgets-inflight-messages'
  | 'forgets-received'
  | 'forgets-released'
  | 'loses-subscriptions'
  | 'loses-wills'
  | 'loses-retained'
  | 'loses-dead-letters'
  | 'forgets-replays'
  | 'repeats-replays'
  | 'tears-silently'

export const DISK_FAULTS: Readonly<Record<DiskFault, string>> = {
  'acknowledges-early': 'a commit is told to be durable when it is written, before it is synced',
  'cursor-past-unfinished': 'a cursor is written one sequence number too high',
  'forgets-finished': 'what was finished above a cursor is not written',
  'forgets-inflight': 'what has been sent and is not acknowledged is not written',
  'forgets-inflight-messages': 'the messages in flight that no queue holds are not written',
  'forgets-received': 'the identifiers of QoS 2 messages that came in are not written',
  'forgets-released': 'the identifiers that wait for PUBCOMP are not written',
  'loses-subscriptions': 'one in four subscriptions is not written',
  'loses-wills': 'one in four wills is not written',
  'loses-retained': 'one in four retained messages is not written',
  'loses-dead-letters': 'what the broker publishes by itself is in no queue',
  'forgets-replays': 'that a subscription is being sent history is not written',
  'repeats-replays': 'how far a history has been sent is not written',
  'tears-silently': 'what is there of a commit that a crash has torn is taken for a whole one'
}

interface LostChange {
  readonly method: keyof Store
  readonly share: number
}

const LOST_CHANGES: Partial<Record<DiskFault, LostChange>> = {
  'forgets-inflight-messages': { method: 'putInflight', share: 1 },
  'forgets-received': { method: 'putReceived', share: 1 },
  'loses-subscriptions': { method: 'putSubscription', share: 0.25 },
  'loses-wills': { method: 'putWill', share: 0.25 },
  'loses-retained': { method: 'putRetained', share: 0.25 }
}

/** Whether a change does not reach the disk. */
export function isLost(fault: DiskFault | undefined, method: keyof Store, random: () => number): boolean {
  const lost = fault === undefined ? undefined : LOST_CHANGES[fault]
  return lost?.method === method && random() < lost.share
}

/** A consumer's progress as a faulty store writes it. */
export function spoil(fault: DiskFault | undefined, progress: ProgressRecord): ProgressRecord {
  switch (fault) {
    case 'cursor-past-unfinished':
      return { ...progress, cursor: progress.cursor + 1 }
    case 'forgets-finished':
      return { ...progress, finished: [] }
    case 'forgets-inflight':
      return { ...progress, inflight: [] }
    case 'forgets-released':
      return { ...progress, released: [] }
    default:
      return progress
  }
}

/** A subscription as a faulty store writes it. */
export function spoilSubscription(fault: DiskFault | undefined, record: SubscriptionRecord): SubscriptionRecord {
  const { replay } = record
  switch (fault) {
    case 'forgets-replays':
      return { ...record, replay: undefined }
    case 'repeats-replays':
      return replay?.after === undefined ? record : { ...record, replay: { ...replay, after: 0 } }
    default:
      return record
  }
}

/** The queues that a faulty store puts a message in. */
export function spoilQueues(
  fault: DiskFault | undefined,
  { publisherClientId }: StoredMessage,
  queues: readonly QueueId[]
): readonly QueueId[] {
  return fault === 'loses-dead-letters' && publisherClientId === '' ? [] : queues
}
