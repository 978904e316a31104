export { connect, openClient } from './connect.ts'
export { Client, type OutboxFigures } from './client.ts'
export { ClientError, type ClientErrorCode } from './client-error.ts'
export type {
  ClientOptions,
  CloseOptions,
  CloseResult,
  MessageHandler,
  OutboxLimits,
  ReconnectOptions,
  RequestOptions,
  SubscribeOptions,
  TransportTarget,
  WillOptions
} from './options.ts'
export type {
  ClientEventListener,
  ClientEventName,
  ClientEvents,
  ClientState,
  ConnectedEvent,
  PublishedMessage
} from './events.ts'
export type { Acknowledgement, Delivery } from './delivery.ts'
export type { Message } from './message.ts'
export type { Payload } from './payload.ts'
export type { PublishOptions } from './publish-options.ts'
export type { Subscription } from './subscription.ts'
export type { Authenticator } from './authenticator.ts'
export { scramSha256, type ScramOptions } from './scram.ts'
export type { Clock } from './clock.ts'
export { memoryOutbox } from './memory-outbox.ts'
export {
  outboxBytes,
  type OutboxChanges,
  type OutboxContents,
  type OutboxMessage,
  type OutboxStore,
  type ReadLimit,
  type SequenceNumber
} from './outbox-store.ts'

export { ProtocolVersion, ReasonCode, reasonCodeName, RetainHandling } from '@godwit/protocol'
export type { ConnackProperties, MessageProperties, QoS, UserProperty } from '@godwit/protocol'
export type { ConnectTlsOptions, Transport } from '@godwit/transport/browser'
