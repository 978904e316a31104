import type { ProtocolVersion, QoS, RetainHandling, UserProperty } from '@godwit/protocol'
import type { ConnectTlsOptions, Transport } from '@godwit/transport/browser'
import type { Authenticator } from './authenticator.ts'
import type { ClientError } from './client-error.ts'
import type { Clock } from './clock.ts'
import type { Message } from './message.ts'
import type { OutboxStore } from './outbox-store.ts'
import type { Payload } from './payload.ts'
import type { PublishOptions } from './publish-options.ts'

/** How a client connects and behaves; all of it is optional. Defaults and bounds stand in `limits.ts`. */
export interface ClientOptions {
  /**
   * Client Identifier. Default: the one that the outbox belongs to, else `godwit-` and random characters. 1 to 23 characters 0-9, a-z and
   * A-Z are accepted by every server, and by 3.1 nothing else.
   */
  readonly clientId?: string | undefined
  readonly userName?: string | undefined
  /** Text or bytes. Before 5.0 it needs a user name. */
  readonly password?: string | Uint8Array | undefined
  /** Default: 5.0. */
  readonly protocolVersion?: ProtocolVersion | undefined
  /** When the server does not speak the version: try the next older one, 5.0 → 3.1.1 → 3.1. Default: false. */
  readonly fallBack?: boolean | undefined
  /**
   * Clean Start (5.0), Clean Session (3.x), of the first connection; later ones go on with the session. Default: false if the outbox knows a
   * session of this client, else true: what another process left behind under this name is discarded. False says that it is to be continued.
   */
  readonly cleanStart?: boolean | undefined
  /**
   * Session Expiry Interval, in seconds, 0xFFFFFFFF: never. Default: 86,400 with a durable outbox, else 300, and then the session ends with
   * `close`. Before 5.0: 0 asks for a Clean Session each time, anything else for a session that stays.
   */
  readonly sessionExpirySeconds?: number | undefined
  /** 0 to 65,535; 0: none, so that a half-open link is noticed by nobody. Default: 60. A 5.0 server may set another. */
  readonly keepAliveSeconds?: number | undefined
  /** How long the server may take to answer PINGREQ. Default: 10,000, or the keep alive if that is shorter. */
  readonly pingTimeoutMs?: number | undefined
  /** For one attempt, from the first byte to CONNACK. Default: 30,000. */
  readonly connectTimeoutMs?: number | undefined
  /** QoS 1 and 2 messages that the server may send before the first of them is acknowledged, 1 to 65,535 (5.0). Default: 1,000. */
  readonly receiveMaximum?: number | undefined
  /** Bytes of the largest packet that we accept, from 1. Default: 16 MiB. */
  readonly maximumPacketSize?: number | undefined
  /** Topic Aliases that the server may use, 0 to 65,535. Default: 100. How many we use, up to 1,000, is the server's choice. */
  readonly topicAliasMaximum?: number | undefined
  /**
   * QoS 1 and 2 messages sent before the first of them is acknowledged, 1 to 65,000; a 5.0 server may want fewer. Default: 1,000; before 5.0,
   * where a server cannot say, 20, which is what Mosquitto takes.
   */
  readonly inflightMaximum?: number | undefined
  /** Of CONNECT (5.0). */
  readonly userProperties?: readonly UserProperty[] | undefined
  readonly will?: WillOptions | undefined
  /** Enhanced authentication (5.0): `scramSha256`, or your own. */
  readonly authentication?: Authenticator | undefined

  /** Where accepted messages are kept. Default: in memory. */
  readonly outbox?: OutboxStore | undefined
  readonly outboxLimits?: OutboxLimits | undefined
  /**
   * What `publish` does when a bound of the outbox is reached: `refuse` rejects the delivery; `wait` holds `stored` back until there is room, with at
   * most 10,000 messages waiting so; `drop-oldest` gives up the oldest message that has not been sent. Default: `refuse`.
   */
  readonly whenOutboxFull?: 'refuse' | 'wait' | 'drop-oldest' | undefined

  /** False: a lost connection closes the client. */
  readonly reconnect?: ReconnectOptions | false | undefined
  /** Follow the Server Reference of a server that sends us elsewhere (5.0). Default: false. */
  readonly followServerReference?: boolean | undefined
  /**
   * A message that no subscription here asked for, of a session that an earlier process left: how long it waits, not acknowledged, for a
   * `subscribe` that matches it. Then it is acknowledged, and told as `unclaimed`. Default: 10,000.
   */
  readonly unclaimedHoldMs?: number | undefined
  /** Where replies to requests go; must be this client's alone. Default: the server's Response Information, else `godwit/reply/`. */
  readonly responseTopicPrefix?: string | undefined

  /** For `mqtts:` and `wss:`, in Node. */
  readonly tls?: ConnectTlsOptions | undefined
  /** HTTP headers of the WebSocket upgrade, in Node. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Closes the client, or gives up on opening it. */
  readonly signal?: AbortSignal | undefined

  /** Another way to reach a server: in tests, through a tunnel. Default: TCP, TLS, WebSocket and Unix sockets in Node, WebSocket in browsers. */
  readonly transport?: ((target: TransportTarget) => Promise<Transport>) | undefined
  readonly clock?: Clock | undefined
  /** For jitter and identifiers: 0 up to 1; need not be hard to guess. Default: Math.random. */
  readonly random?: (() => number) | undefined
}

export interface TransportTarget {
  readonly url: string
  /** WebSocket subprotocol: `mqtt`, for 3.1 `mqttv3.1`. */
  readonly subprotocol: string
  readonly tls: ConnectTlsOptions | undefined
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly maximumPacketSize: number
  /** Aborted when the attempt has taken too long, or the client is closed. */
  readonly signal: AbortSignal
}

/** Bounds of the outbox, which hold for QoS 0 messages that wait for a connection as well. */
export interface OutboxLimits {
  /** Default: 100,000. */
  readonly messages?: number | undefined
  /** The sum of `outboxBytes`. Default: 64 MiB. */
  readonly bytes?: number | undefined
  /** A message that has waited this long without being sent is discarded as expired. Default: none. */
  readonly ageMs?: number | undefined
}

/** The delay before attempt n is random between half of and all of `min(minimumDelayMs * 2^(n-1), maximumDelayMs)`. */
export interface ReconnectOptions {
  /** Default: 500. */
  readonly minimumDelayMs?: number | undefined
  /** Default: 30,000. */
  readonly maximumDelayMs?: number | undefined
  /** Attempts in a row that fail before the client gives up and closes. Default: no bound. */
  readonly attempts?: number | undefined
  /**
   * Whether to try again after this error. Default: always, but for a session that another client took over (0x8E), a server that moved or
   * sends us elsewhere without our following it (0x9D, 0x9C), and a version that is not supported.
   */
  readonly shouldRetry?: ((error: ClientError) => boolean) | undefined
}

/** The Will Message: what the server publishes when this client is gone without a word. */
export interface WillOptions extends Omit<PublishOptions, 'signal'> {
  readonly topic: string
  readonly payload: Payload
  /** Will Delay Interval (5.0): a client that is back in time leaves it unsaid. Default: 0. */
  readonly delaySeconds?: number | undefined
}

/** How to subscribe; all of it is optional. What only 5.0 has is left out on 3.1 and 3.1.1. */
export interface SubscribeOptions {
  /** The highest QoS at which the server may send. Default: 1. */
  readonly qos?: QoS | undefined
  /** Do not send what this client publishes itself (5.0). Default: false. */
  readonly noLocal?: boolean | undefined
  /** Keep the RETAIN flag as published (5.0). Default: false. */
  readonly retainAsPublished?: boolean | undefined
  /** Which retained messages to send (5.0). Default: all of them, at each SUBSCRIBE. */
  readonly retainHandling?: RetainHandling | undefined
  readonly userProperties?: readonly UserProperty[] | undefined
  /**
   * `auto`: a message is acknowledged when the loop asks for the next one, or when the handler has returned and its promise resolved.
   * `manual`: only by its `ack()`. Default: `auto`.
   */
  readonly acknowledge?: 'auto' | 'manual' | undefined
  /** Messages that may wait here for the loop or handler; then reading stops, and the server is held back. From 1. Default: 1,000. */
  readonly bufferMaximum?: number | undefined
  /**
   * What happens to QoS 0 messages when the buffer is full: `pause` reads no more from the connection, unless the client waits for an answer
   * that is to come by it: then they are dropped, as with `drop-newest`. Default: `pause`.
   */
  readonly whenBufferFull?: 'pause' | 'drop-oldest' | 'drop-newest' | undefined
  /** Unsubscribes. */
  readonly signal?: AbortSignal | undefined
}

/** Called with each message; what it returns is awaited before the next. */
export type MessageHandler = (message: Message) => unknown

export interface RequestOptions extends Omit<PublishOptions, 'responseTopic' | 'correlationData'> {
  /** How long to wait for the reply. Default: 30,000. */
  readonly timeoutMs?: number | undefined
}

export interface CloseOptions {
  /** While connected: how long to wait for the acknowledgement of what was published. Default: 5,000; 0: do not wait. */
  readonly drainMs?: number | undefined
  /** Of the DISCONNECT (5.0). Default: 0x00; 0x04 has the server publish the Will Message. */
  readonly publishWill?: boolean | undefined
  /** Session Expiry Interval of the DISCONNECT (5.0), in seconds. Default: 0 for a client without a durable outbox that set none, else as it was. */
  readonly sessionExpirySeconds?: number | undefined
}

/** What `close` leaves behind. */
export interface CloseResult {
  /** Messages that the server has not acknowledged: kept in a durable outbox, gone with one in memory. */
  readonly undelivered: number
}
