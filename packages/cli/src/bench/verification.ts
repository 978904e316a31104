import type { QoS } from '@godwit/protocol'
import type { StreamLedger } from './stream-ledger.ts'

/** What became of one publisher's messages, over all of its subscribers. */
interface PublisherFindings {
  readonly publisher: number
  /** Messages that should have come: as many as were accepted, for each subscriber. */
  readonly expected: number
  /** Each counts once. */
  readonly received: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly damaged: number
}

export interface Verification {
  readonly expected: number
  readonly received: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly damaged: number
  /** Messages of nobody here: of another run, or of others who publish to the topic. */
  readonly foreign: number
  /** Those of whose messages one was lost, duplicated, reordered or damaged. */
  readonly publishers: readonly PublisherFindings[]
}

/** What one thread's subscribers know of a publisher. */
export interface StreamFindings {
  readonly publisher: number
  readonly received: number
  readonly missing: number
  readonly duplicated: number
  readonly reordered: number
  readonly damaged: number
}

/** What a publisher knows of itself. */
export interface PublishedCount {
  readonly publisher: number
  readonly published: number
  /** Refused or discarded, or not acknowledged when time was up: that they are missing is no surprise. */
  readonly failed: number
}

/** What a subscriber got, where so many were published. */
export function findingsOf(publisher: number, ledger: StreamLedger, published: number, damaged: number): StreamFindings {
  const { received, duplicated, reordered } = ledger
  return { publisher, received, duplicated, reordered, damaged, missing: ledger.missing(published) }
}

/** @param copies subscribers that each message is for */
export function verify(
  counts: readonly PublishedCount[],
  findings: readonly StreamFindings[],
  copies: number,
  foreign: number
): Verification {
  const byPublisher = Map.groupBy(findings, ({ publisher }) => publisher)
  const publishers = counts.map(({ publisher, published, failed }): PublisherFindings => {
    const streams = byPublisher.get(publisher) ?? []
    const sum = (of: (findings: StreamFindings) => number): number => streams.reduce((total, each) => total + of(each), 0)
    const missing = sum((each) => Math.max(0, each.missing - failed))
    return {
      publisher,
      expected: (published - failed) * copies,
      received: sum((each) => each.received),
      lost: missing,
      duplicated: sum((each) => each.duplicated),
      reordered: sum((each) => each.reordered),
      damaged: sum((each) => each.damaged)
    }
  })
  const total = (of: (findings: PublisherFindings) => number): number => publishers.reduce((sum, each) => sum + of(each), 0)
  return {
    expected: total((each) => each.expected),
    received: total((each) => each.received),
    lost: total((each) => each.lost),
    duplicated: total((each) => each.duplicated),
    reordered: total((each) => each.reordered),
    damaged: total((each) => each.damaged),
    foreign,
    publishers: publishers.filter(({ lost, duplicated, reordered, damaged }) => lost + duplicated + reordered + damaged > 0)
  }
}

/**
 * What the broker may not do, each in a few words; empty if it kept its word. At QoS 0 a message may be lost, at QoS 1 it may come twice
 * ([5.0 4.3]); where it is not lost it keeps its order ([5.0 MQTT-4.6.0-5]), and its content.
 */
export function violationsOf({ lost, duplicated, reordered, damaged }: Verification, qos: QoS): string[] {
  return [
    ...(qos > 0 && lost > 0 ? [`${lost.toLocaleString('en')} lost`] : []),
    ...(qos !== 1 && duplicated > 0 ? [`${duplicated.toLocaleString('en')} duplicated`] : []),
    ...(reordered > 0 ? [`${reordered.toLocaleString('en')} reordered`] : []),
    ...(damaged > 0 ? [`${damaged.toLocaleString('en')} damaged`] : [])
  ]
}
