import type { MessageProperties, QoS } from '@godwit/protocol'
import type { Acknowledgement } from './delivery.ts'
import type { PublishedMessage } from './events.ts'
import { outboxBytes, type OutboxMessage, type SequenceNumber } from './outbox-store.ts'
import type { PendingDelivery } from './pending-delivery.ts'

/** How far a message has come. */
export const OutgoingState = {
  /** It was not sent on this session. */
  Waiting: 0,
  /** PUBLISH is sent, or to be sent again. */
  Sent: 1,
  /** PUBREC has come and is being stored: PUBREL may not be sent yet. */
  Releasing: 2,
  /** PUBREL is sent, or to be sent again. */
  Released: 3,
  Finished: 4
} as const

export type OutgoingState = (typeof OutgoingState)[keyof typeof OutgoingState]

/** A message, as it was accepted. */
export interface Publication {
  readonly topicName: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties
  readonly acceptedAtMs: number
  readonly expiresAtMs: number
}

/** A message that was accepted, on its way to the server. */
export class OutgoingMessage implements Publication {
  readonly sequence: SequenceNumber
  readonly topicName: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties
  readonly acceptedAtMs: number
  /** 0: it does not expire. */
  readonly expiresAtMs: number
  /** What it counts against the bounds of the outbox. */
  readonly bytes: number
  readonly delivery: PendingDelivery | undefined
  state: OutgoingState = OutgoingState.Waiting
  /** As safe as the outbox makes it. */
  isStored: boolean
  /** It counts against the server's Receive Maximum. */
  isInflight = false
  /** Of the PUBREC: what is told at PUBCOMP. */
  acknowledgement: Acknowledgement | undefined = undefined
  /** It may have been sent before, on this session: DUP ([5.0 MQTT-3.3.1-1]). */
  isDup = false

  constructor(from: Publication, sequence: SequenceNumber, delivery: PendingDelivery | undefined, isStored: boolean) {
    this.sequence = sequence
    this.topicName = from.topicName
    this.payload = from.payload
    this.qos = from.qos
    this.retain = from.retain
    this.properties = from.properties
    this.acceptedAtMs = from.acceptedAtMs
    this.expiresAtMs = from.expiresAtMs
    this.bytes = outboxBytes(from)
    this.delivery = delivery
    this.isStored = isStored
  }

  /** As the outbox keeps it; undefined at QoS 0, which it does not. */
  get toStore(): OutboxMessage | undefined {
    const { qos } = this
    if (qos === 0) return undefined
    const { sequence, topicName, payload, retain, properties, acceptedAtMs, expiresAtMs } = this
    return { sequence, topicName, payload, qos, retain, properties, acceptedAtMs, expiresAtMs, isReleased: false }
  }

  /** As events tell of it. */
  get published(): PublishedMessage {
    const { topicName: topic, qos, retain, acceptedAtMs, payload } = this
    return { topic, qos, retain, acceptedAtMs, payloadBytes: payload.byteLength }
  }
}
