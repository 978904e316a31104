// Every bound and default of the client, with its reason. What an application may set stands in `options.ts`.

/** Of the specification: Packet Identifiers are 1 to 65,535 ([5.0 2.2.1]). PUBLISH has these, ... */
export const PUBLISH_IDENTIFIERS: number = 65_000
/** ... and SUBSCRIBE and UNSUBSCRIBE those behind them, so that neither waits for the other. */
export const SUBSCRIBE_IDENTIFIERS: number = 0xffff - PUBLISH_IDENTIFIERS

/** A minute: what most clients take, and what keeps most address translators awake. */
export const KEEP_ALIVE_SECONDS: number = 60
/** Long enough for a mobile network, and short enough that a half-open link does not pass for a slow one. */
export const PING_TIMEOUT_MS: number = 10_000
/** For the last bytes of a connection that we close, and for the server to close it too. */
export const CLOSE_TIMEOUT_MS: number = 5_000
/** TCP, TLS, CONNECT and an exchange of AUTH, over a slow link. */
export const CONNECT_TIMEOUT_MS: number = 30_000
/** A link that comes and goes should not cost the subscriptions. */
export const SESSION_EXPIRY_SECONDS: number = 300
/** A client that keeps its messages on disk wants those of the server to wait over a night, too. */
export const DURABLE_SESSION_EXPIRY_SECONDS: number = 86_400

/** What the server may have under way to us: enough to fill a fast link, little enough to hold in memory. */
export const RECEIVE_MAXIMUM: number = 1_000
/** A bound against a server that sends what nobody expects; larger than what nearly every broker accepts. */
export const MAXIMUM_PACKET_SIZE: number = 16 * 1024 * 1024
/** Each takes a topic's bytes of memory at both ends. */
export const TOPIC_ALIAS_MAXIMUM: number = 100
export const OUTBOUND_TOPIC_ALIASES_MAX: number = 1_000
/** What we may have under way to the server. */
export const INFLIGHT_MAXIMUM: number = 1_000
/**
 * The same before 5.0, where a server cannot say how much it takes. Mosquitto 2.0 takes 20 by default, and closes the connection on what is
 * more, which it may have answered before (docs/decisions/0011).
 */
export const INFLIGHT_MAXIMUM_BEFORE_5: number = 20

export const OUTBOX_MESSAGES_MAX: number = 100_000
export const OUTBOX_BYTES_MAX: number = 64 * 1024 * 1024
/** Of a durable outbox only the next messages to send are in memory: about a second of a busy link. */
export const LOADED_MESSAGES_MAX: number = 2_000
export const LOADED_BYTES_MAX: number = 4 * 1024 * 1024
/** Publishes that wait for room in a full outbox: whoever does not await `stored` must end somewhere. */
export const WAITING_FOR_ROOM_MAX: number = 10_000
/** After a commit or a read that failed: a full disk is not freed by asking more often. */
export const COMMIT_RETRY_MS: number = 1_000

export const RECONNECT_DELAY_MS: number = 500
export const RECONNECT_DELAY_MAX_MS: number = 30_000
/** Servers that send us on and on: after this many in a row we go back to where we began. */
export const SERVER_REFERENCES_MAX: number = 5

/** Messages that wait for a loop or a handler. */
export const SUBSCRIPTION_BUFFER_MESSAGES: number = 1_000
/** For an application that starts: long enough to subscribe. */
export const UNCLAIMED_HOLD_MS: number = 10_000
/** QoS 0 messages among the unclaimed; the others are bounded by Receive Maximum. */
export const UNCLAIMED_MESSAGES_MAX: number = 1_000

export const REQUEST_TIMEOUT_MS: number = 30_000
export const REQUESTS_MAX: number = 10_000
/** How long `close` waits for acknowledgements. */
export const DRAIN_MS: number = 5_000
