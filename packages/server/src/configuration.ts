import type { Features, HistoryRule, Limits, OverflowRule, ShareStrategy } from '@godwit/broker'

/** Everything that the program can be told, with a value for each key that has a default. */
export interface Configuration {
  /** Where clients connect, besides the WebSocket at `http`. */
  readonly listeners: readonly ListenerConfiguration[]
  readonly http: HttpConfiguration
  /** Threads for the sockets of `listeners`; 0: they stay on the thread that routes. */
  readonly ioThreads: number
  /** The directory of the durable store; absolute. Undefined: `godwit-data` in the working directory, unless `memory`. */
  readonly data?: string | undefined
  /** Whether to keep everything in memory: nothing survives the process. */
  readonly memory: boolean
  /** Data that does not hold what was written: whether to stop, or to set it aside and begin with an empty store. */
  readonly onDamagedData: 'stop' | 'set-aside'
  readonly access: AccessConfiguration
  readonly limits: Limits
  readonly features: Features
  readonly shareStrategy: ShareStrategy
  readonly responseInformation?: string | undefined
  readonly unauthorizedPublishMqtt3: 'acknowledge' | 'close'
  readonly refusedPublishMqtt3: 'acknowledge' | 'close'
  readonly overflow: readonly OverflowRule[]
  readonly history: readonly HistoryRule[]
  /** 0: no topics under `$SYS/`. */
  readonly sysIntervalSeconds: number
  readonly log: LogConfiguration
}

export type ListenerConfiguration =
  | TcpListenerConfiguration
  | TlsListenerConfiguration
  | WebSocketListenerConfiguration
  | SecureWebSocketListenerConfiguration
  | UnixListenerConfiguration

export interface TcpListenerConfiguration extends NetworkConfiguration {
  readonly kind: 'tcp'
}

export interface TlsListenerConfiguration extends NetworkConfiguration, TlsConfiguration {
  readonly kind: 'tls'
}

export interface WebSocketListenerConfiguration extends NetworkConfiguration, WebSocketConfiguration {
  readonly kind: 'websocket'
}

export interface SecureWebSocketListenerConfiguration extends NetworkConfiguration, TlsConfiguration, WebSocketConfiguration {
  readonly kind: 'secure-websocket'
}

export interface UnixListenerConfiguration {
  readonly kind: 'unix'
  readonly name?: string | undefined
  readonly path: string
  /** Octal digits. */
  readonly mode?: string | undefined
  readonly backlog?: number | undefined
}

export interface NetworkConfiguration {
  /** What overflow rules call it. */
  readonly name?: string | undefined
  readonly host: string
  readonly port: number
  readonly keepAliveSeconds?: number | undefined
  readonly handshakeTimeoutSeconds?: number | undefined
  readonly proxyProtocol?: { readonly trustedProxies: readonly string[] } | undefined
  readonly backlog?: number | undefined
}

/** Paths of PEM files; absolute. */
export interface TlsConfiguration {
  readonly certificateFile: string
  readonly keyFile: string
  readonly keyPassphraseFile?: string | undefined
  readonly caFile?: string | undefined
  readonly clientCertificates: 'none' | 'requested' | 'required'
  readonly minimumTlsVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface WebSocketConfiguration {
  readonly path: string
  readonly allowedOrigins?: readonly string[] | undefined
  readonly maxMessageBytes?: number | undefined
}

export interface HttpConfiguration {
  readonly enabled: boolean
  readonly host: string
  readonly port: number
  readonly webSocket: boolean
  readonly webSocketPath: string
  readonly allowedOrigins?: readonly string[] | undefined
}

export interface AccessConfiguration {
  /** Undefined: only as long as nobody but this machine can connect, and there are no users. */
  readonly anonymous?: boolean | undefined
  readonly users: readonly UserConfiguration[]
}

export interface UserConfiguration {
  readonly name: string
  /** As `hashPassword` makes it. */
  readonly passwordHash: string
}

export interface LogConfiguration {
  readonly level: LogLevel
  readonly format: 'text' | 'json'
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
