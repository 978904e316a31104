export { ConfigurationError } from './configuration-error.ts'
export type { ConfigurationPath } from './configuration-path.ts'
export { configurationSchema } from './configuration-schema.ts'
export { configurationText } from './configuration-text.ts'
export type {
  AccessConfiguration,
  Configuration,
  HttpConfiguration,
  ListenerConfiguration,
  LogConfiguration,
  LogLevel,
  NetworkConfiguration,
  SecureWebSocketListenerConfiguration,
  TcpListenerConfiguration,
  TlsConfiguration,
  TlsListenerConfiguration,
  UnixListenerConfiguration,
  UserConfiguration,
  WebSocketConfiguration,
  WebSocketListenerConfiguration
} from './configuration.ts'
export { type Exposure, exposureOf } from './exposure.ts'
export type { HealthReport } from './health.ts'
export { type ConfigurationSources, loadConfiguration, type Override } from './load-configuration.ts'
export { createLogger, type ServerLogger } from './logger.ts'
export type { Server } from './server.ts'
export { type ServerOptions, startServer } from './start-server.ts'
export { packageVersion } from './version.ts'
export { ListenError } from '@godwit/transport'
