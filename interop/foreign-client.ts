import type { Mailbox } from './mailbox.ts'

/** 3: MQTT 3.1; 4: MQTT 3.1.1; 5: MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5
export type QoS = 0 | 1 | 2
export type TransportName = 'tcp' | 'websocket'

export function versionName(protocolVersion: ProtocolVersion): string {
  return { 3: '3.1', 4: '3.1.1', 5: '5.0' }[protocolVersion]
}

/** The properties of a PUBLISH that go from end to end, and those that the server adds. */
export interface MessageProperties {
  readonly userProperties: readonly (readonly [string, string])[]
  readonly contentType?: string | undefined
  readonly responseTopic?: string | undefined
  readonly correlationData?: Buffer | undefined
  readonly messageExpiryInterval?: number | undefined
  readonly subscriptionIdentifiers: readonly number[]
}

export const NO_PROPERTIES: MessageProperties = { userProperties: [], subscriptionIdentifiers: [] }

export interface Message {
  readonly topicName: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  readonly properties: MessageProperties
}

export interface ConnectOptions {
  readonly protocolVersion: ProtocolVersion
  readonly transport: TransportName
  readonly clientId: string
  /** Clean Session to 3.1 and 3.1.1. */
  readonly cleanStart: boolean
  /** For 5.0 only. */
  readonly sessionExpirySeconds: number
  readonly will?: Omit<Message, 'properties'> | undefined
}

interface SubscribeOptions {
  /** 0: none. */
  readonly subscriptionIdentifier: number
}

/** A connected client of another project, as the tests drive it. */
export interface ForeignClient {
  readonly sessionPresent: boolean
  readonly received: Mailbox<Message>
  /** Resolves once the connection is gone: with the Reason Code of the server's DISCONNECT if there was one. */
  readonly closed: Promise<number | undefined>
  /** Resolves with the granted QoS, or the Reason Code of the refusal. */
  subscribe(topicFilter: string, qos: QoS, options?: SubscribeOptions): Promise<number>
  unsubscribe(topicFilter: string): Promise<void>
  /** Resolves once the exchange has ended: PUBACK or PUBCOMP. */
  publish(message: Message): Promise<void>
  disconnect(): Promise<void>
  /** Cuts the network connection, without DISCONNECT. */
  kill(): Promise<void>
}

/** Where clients connect to. */
export interface Address {
  readonly port: number
  readonly webSocketPort: number
}

/** A kind of client, and how to connect one. */
export interface ForeignClients {
  readonly name: string
  connect(address: Address, options: ConnectOptions): Promise<ForeignClient>
}
