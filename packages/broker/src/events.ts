import { EventEmitter } from 'node:events'
import type { ProtocolVersion, QoS, ReasonCode } from '@godwit/protocol'
import type { TransportKind, TransportPeer } from '@godwit/transport'
import type { Drop } from './fates.ts'

export interface ClientConnected {
  readonly clientId: string
  readonly userName: string | undefined
  readonly protocolVersion: ProtocolVersion
  readonly keepAliveSeconds: number
  readonly sessionPresent: boolean
  readonly transport: TransportKind
  readonly peer: TransportPeer
}

export interface ClientDisconnected {
  readonly clientId: string
  /** What the client said, or was told, or would have been told had its version allowed. */
  readonly reasonCode: ReasonCode
  readonly reason: string
  /** Whether the client said so itself, with DISCONNECT. */
  readonly byClient: boolean
  readonly peer: TransportPeer
}

export interface ConnectionRefused {
  /** Empty if it did not come to a CONNECT. */
  readonly clientId: string
  readonly reasonCode: ReasonCode
  readonly reason: string
  readonly peer: TransportPeer
}

/** What happens in a broker, for the application that embeds it. Listeners are called at once and should return soon. */
export interface BrokerEvents {
  clientConnected: [ClientConnected]
  clientDisconnected: [ClientDisconnected]
  connectionRefused: [ConnectionRefused]
  sessionCreated: [{ readonly clientId: string }]
  sessionEnded: [{ readonly clientId: string }]
  subscribed: [{ readonly clientId: string; readonly topicFilter: string; readonly qos: QoS }]
  unsubscribed: [{ readonly clientId: string; readonly topicFilter: string }]
  /** A message ended other than delivered. */
  messageDropped: [Drop]
  /** The store failed to commit or to read: nothing that depended on it was acknowledged. */
  storeFailed: [Error]
  /** A commit has failed, or the store says that one soon will: from here on nothing is accepted that it would have to keep. */
  storeFailing: [Error]
  /** A commit has succeeded, and the store is well again. */
  storeRecovered: []
}

export class BrokerEventEmitter extends EventEmitter<BrokerEvents> {}
