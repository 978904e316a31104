import type { QoS } from '@godwit/protocol'

/** A QoS 1 or 2 PUBLISH from the server, until it is answered. */
export class Exchange {
  readonly packetIdentifier: number
  readonly qos: QoS
  readonly topicName: string
  /** Subscriptions here that have not dealt with it yet. */
  holders: number
  /** One of them could not handle it. */
  isRejected = false
  /** It waits in its queue for its turn to be answered; not while the connection that it came on is gone. */
  isQueued = true

  constructor(packetIdentifier: number, qos: QoS, topicName: string, holders: number) {
    this.packetIdentifier = packetIdentifier
    this.qos = qos
    this.topicName = topicName
    this.holders = holders
  }
}
