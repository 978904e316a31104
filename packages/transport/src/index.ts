export type { ConnectTlsOptions } from './connect-tls-options.ts'
export { connectTransport } from './connect-transport.ts'
export type { ConnectOptions } from './connect-options.ts'
export { listen } from './listen.ts'
export { ListenError } from './listen-error.ts'
export type {
  CertificateOptions,
  CommonListenOptions,
  ListenOptions,
  NetworkListenOptions,
  ProxyProtocolOptions,
  SecureWebSocketListenOptions,
  TcpListenOptions,
  TlsListenOptions,
  TlsOptions,
  UnixListenOptions,
  WebSocketListenOptions,
  WebSocketOptions
} from './listen-options.ts'
export type { SecureListener } from './listener.ts'
export { memoryTransportPair, type MemoryTransport, type MemoryTransportOptions, type MemoryWire } from './memory-transport.ts'
export type { PeerAddress } from './peer-address.ts'
export type { Listener, PeerCertificate, Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'
export { webSocketUpgrade, type WebSocketUpgradeHandler, type WebSocketUpgradeOptions } from './web-socket-upgrade.ts'
export { IO_THREADS_MAX } from './transport-limits.ts'
