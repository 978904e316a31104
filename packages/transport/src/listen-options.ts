import type { PeerAddress } from './peer-address.ts'

export type ListenOptions =
  | TcpListenOptions
  | TlsListenOptions
  | UnixListenOptions
  | WebSocketListenOptions
  | SecureWebSocketListenOptions

/** Those with a port. */
export type PortListenOptions = Exclude<ListenOptions, UnixListenOptions>

export type SecureListenOptions = TlsListenOptions | SecureWebSocketListenOptions

export interface TcpListenOptions extends NetworkListenOptions {
  readonly kind: 'tcp'
}

export interface TlsListenOptions extends NetworkListenOptions, TlsOptions {
  readonly kind: 'tls'
}

export interface WebSocketListenOptions extends NetworkListenOptions, WebSocketOptions {
  readonly kind: 'websocket'
}

export interface SecureWebSocketListenOptions extends NetworkListenOptions, TlsOptions, WebSocketOptions {
  readonly kind: 'secure-websocket'
}

export interface UnixListenOptions extends CommonListenOptions {
  readonly kind: 'unix'
  /** Where the socket file is made. One left behind by a crash is replaced; one in use, or another kind of file, is not. */
  readonly path: string
  /** Permissions of the socket file, `0o660` say; to connect is to write. Default: what the process's umask leaves. */
  readonly mode?: number | undefined
}

export interface CommonListenOptions {
  /**
   * Told of every connection that failed before it became a Transport (PROXY header, TLS handshake, WebSocket upgrade), and of
   * failures to accept one (then the address is empty). The connection is closed already. Connections that close without
   * having sent a byte are not reported: port probes and health checks do that. Default: nobody is told.
   */
  readonly onError?: ((error: Error, peer: PeerAddress) => void) | undefined
  /** Connections that the operating system holds until they are accepted; it may cut the number. Default: 4,096. */
  readonly backlog?: number | undefined
}

export interface NetworkListenOptions extends CommonListenOptions {
  /** An address of this machine, or a name for one; `0.0.0.0` or `::` for all. Default: `127.0.0.1`. */
  readonly host?: string | undefined
  /** 0 to 65,535; 0 lets the operating system choose. */
  readonly port: number
  /** Idle seconds before TCP probes whether the peer is still there; 0 turns it off. Default: 60. */
  readonly keepAliveSeconds?: number | undefined
  /** For PROXY header, TLS handshake and WebSocket upgrade together. Default: 10,000. */
  readonly handshakeTimeoutMs?: number | undefined
  /** Set: every connection must begin with a PROXY protocol header (version 1 or 2), before TLS. Default: none is read. */
  readonly proxyProtocol?: ProxyProtocolOptions | undefined
  /**
   * Lets other listeners with this option have the same port, on other threads or in other processes of the same user: the
   * operating system spreads the connections over them. Linux and some others; elsewhere `listen` rejects. Default: false.
   */
  readonly reusePort?: boolean | undefined
}

export interface ProxyProtocolOptions {
  /**
   * Addresses or address/prefix ranges of the proxies. Connections from elsewhere are closed and reported. Empty: anyone may
   * claim any address, so the port must be reachable by the proxies alone.
   */
  readonly trustedProxies: readonly string[]
}

/** PEM texts, as strings or as read from files. */
export interface CertificateOptions {
  /** The server's certificate, followed by intermediate certificates. */
  readonly certificate: string | Buffer
  readonly key: string | Buffer
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined
  /** The authorities that client certificates are verified against; needed to ask for them. */
  readonly ca?: string | Buffer | undefined
  /**
   * 48 random bytes that TLS sessions are resumed with: a session begun with one listener can be resumed with another that
   * has the same. Default: each listener has its own.
   */
  readonly ticketKeys?: Uint8Array | undefined
}

export interface TlsOptions extends CertificateOptions {
  /**
   * `none`: not asked for. `requested`: a client may present one, and is refused if it does not verify. `required`: a client
   * without one is refused too. Default: `none`.
   */
  readonly clientCertificates?: 'none' | 'requested' | 'required' | undefined
  /** Default: `TLSv1.2`. */
  readonly minimumTlsVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
}

export interface WebSocketOptions {
  /** Default: `/mqtt`. */
  readonly path?: string | undefined
  /** A larger WebSocket message closes the connection (1009): at least the largest packet to be accepted. Default: 1,048,576. */
  readonly maxMessageBytes?: number | undefined
  /**
   * Web origins (`https://example.org`) whose pages may connect. A browser sends the page's origin and any page can open a
   * WebSocket anywhere: with credentials that the browser adds by itself, or on a private network, list the origins. Programs
   * send no origin and are let in. Default: any origin, since MQTT clients authenticate with CONNECT.
   */
  readonly allowedOrigins?: readonly string[] | undefined
}
