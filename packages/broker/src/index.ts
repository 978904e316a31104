export { createBroker } from './broker.ts'
export type {
  Broker,
  BrokerCounts,
  BrokerOptions,
  ConnectedClient,
  ListenOn,
  NamedListener,
  PublishOptions,
  ReceivedMessage
} from './broker.ts'
export type {
  Accepted,
  Access,
  AccessRequest,
  AuthenticationStep,
  ClientIdentity,
  ConnectRequest,
  EnhancedAuthentication,
  Refused
} from './access.ts'
export { type Clock, SystemClock } from './clock.ts'
export type { CloseReason } from './connection.ts'
export type { BrokerEventEmitter, BrokerEvents, ClientConnected, ClientDisconnected, ConnectionRefused } from './events.ts'
export { type Drop, type Fate, type FateDescription, FATES } from './fates.ts'
export { HISTORY_BOUNDS_MAX, type HistoryBound, historyFilterProblem, type HistoryRule } from './history-rules.ts'
export { type Limit, type LimitName, LIMITS, type Limits } from './limits.ts'
export type { Logger, LogFields } from './logger.ts'
export { type Behaviour, type Features, SYS_INTERVAL_SECONDS_MAX } from './options.ts'
export { OVERFLOW_ACTIONS, OVERFLOW_BOUNDS, problemOfRule } from './overflow-rules.ts'
export type { OverflowAction, OverflowRule } from './overflow-rules.ts'
export { SHARE_STRATEGIES, type ShareStrategy } from './share-strategies.ts'
