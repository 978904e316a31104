import type { ConnectTlsOptions } from './connect-tls-options.ts'

export interface ConnectOptions {
  /**
   * `mqtt://host:1883` or `tcp:`, `mqtts://host:8883` or `tls:`, `ws://host/mqtt`, `wss://host/mqtt`, `unix:/run/godwit.sock`:
   * what `Listener.url` says. The port may be left out. User and password in it are not used here.
   */
  readonly url: string
  /** Gives up: the promise rejects with the signal's reason. Without one, the operating system's timeout holds. */
  readonly signal?: AbortSignal | undefined
  /** For `mqtts:` and `wss:`. */
  readonly tls?: ConnectTlsOptions | undefined
  /** The WebSocket subprotocol to offer. Default: `mqtt` ([5.0 MQTT-6.0.0-3]). */
  readonly subprotocol?: string | undefined
  /** HTTP headers of the WebSocket upgrade. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A larger WebSocket message closes the connection. Default: 1,048,576. */
  readonly maxMessageBytes?: number | undefined
}
