export { connectTransport } from './connect-transport.ts'
export type { ConnectOptions } from './connect-options.ts'
export type { ConnectTlsOptions } from './connect-tls-options.ts'
export type { Transport } from './transport.ts'
