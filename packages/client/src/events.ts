import type { ConnackProperties, PublishReasonCode, ProtocolVersion, QoS } from '@godwit/protocol'
import type { ClientError } from './client-error.ts'
import type { Message } from './message.ts'

/** Where a client is: `connecting` and `waiting` alternate until it is `connected`; `closed` is for good. */
export type ClientState = 'connecting' | 'connected' | 'waiting' | 'closing' | 'closed'

/** A message that was published, without its payload. */
export interface PublishedMessage {
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  /** When it was accepted, in milliseconds since the Unix epoch; perhaps by an earlier process. */
  readonly acceptedAtMs: number
  readonly payloadBytes: number
}

export interface ConnectedEvent {
  readonly url: string
  readonly protocolVersion: ProtocolVersion
  readonly clientId: string
  /** The server has kept the session: nothing was subscribed anew. */
  readonly sessionPresent: boolean
  /** In force, which may be the server's; 0: none. */
  readonly keepAliveSeconds: number
  /** As the server sent them; empty before 5.0. */
  readonly properties: ConnackProperties
}

/** Every change that an application may want to know of. */
export interface ClientEvents {
  /** Any change of `client.state`. */
  state: { readonly state: ClientState; readonly previous: ClientState }
  /** An attempt begins; the first is 1, and counting starts again after each success. */
  connecting: { readonly url: string; readonly attempt: number }
  /** The server has accepted us. */
  connected: ConnectedEvent
  /** A connection that was up is gone; with the error unless we closed it. */
  disconnected: { readonly error: ClientError | undefined }
  /** An attempt failed. */
  connectFailed: { readonly error: ClientError; readonly url: string; readonly attempt: number }
  /** The next attempt comes after this delay. */
  waiting: { readonly attempt: number; readonly delayMs: number }
  /**
   * The server no longer had the session that we had: subscriptions are made anew and what was in flight is sent as new. At QoS 2,
   * `resent` messages may arrive twice, and `released` ones were the server's already: they count as delivered.
   */
  sessionLost: { readonly resent: number; readonly released: number }
  /** The server has acknowledged a message. */
  delivered: { readonly message: PublishedMessage; readonly reasonCode: PublishReasonCode }
  /** A message that was published will not be delivered; `error.code` tells why. */
  discarded: { readonly message: PublishedMessage; readonly error: ClientError }
  /** A message came for which there is no subscription here, and it was acknowledged; see `unclaimedHoldMs`. */
  unclaimed: { readonly message: Message }
  /** A QoS 0 message was dropped because its subscription's buffer was full, or a message was left in it when the subscription ended. */
  dropped: { readonly message: Message; readonly reason: 'buffer-full' | 'unsubscribed' }
  /** A subscription could not be made, or made anew after a reconnection. */
  subscribeFailed: { readonly filter: string; readonly error: ClientError }
  /** A message handler threw or rejected; the message was rejected. */
  handlerFailed: { readonly error: unknown; readonly message: Message }
  /** The outbox could not store; it is tried again until it can. */
  outboxFailed: { readonly error: ClientError }
  /** It stores again, and nothing was lost. */
  outboxRecovered: object
  /** For good; with the error if we did not ask for it. */
  closed: { readonly error: ClientError | undefined }
}

export type ClientEventName = keyof ClientEvents
export type ClientEventListener<Name extends ClientEventName> = (event: ClientEvents[Name]) => void
