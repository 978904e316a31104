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
export { DataError } from './data-error.ts'
export { type Exposure, exposureOf } from './exposure.ts'
export type { Alarm, AlarmName } from './alarms.ts'
export type { HealthReport, HealthStatus } from './health.ts'
export type { DataReport } from './open-broker.ts'
export { type ConfigurationSources, loadConfiguration, type Override } from './load-configuration.ts'
export { createLogger, type ServerLogger } from './logger.ts'
export type { Server } from './server.ts'
export { type ServerOptions, startServer } from './start-server.ts'
export { packageVersion } from './version.ts'
export { ListenError } from '@godwit/transport'
