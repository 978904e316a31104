// What there is for browsers, and the types that are the same everywhere: nothing here needs Node, nor its types.
export type { ConnectTlsOptions } from './connect-tls-options.ts'
export { connectWebSocket, type ConnectWebSocketOptions } from './connect-web-socket.ts'
export type { PeerCertificate, Transport, TransportKind, TransportPeer, TransportReceiver } from './transport.ts'
