export { DISK_FAULTS, type DiskFault } from './disk-faults.ts'
export { fromHex, toHex } from './hex.ts'
export * from './packets.ts'
export { randomBelow, seededRandom } from './random.ts'
export { SimBroker, type SimBrokerOptions } from './sim-broker.ts'
export { SimClock } from './sim-clock.ts'
export { SimDisk, type SimDiskOptions } from './sim-disk.ts'
export { SimNetwork, type NetworkShape } from './sim-network.ts'
export { SimProcess } from './sim-process.ts'
export { SimStore } from './sim-store.ts'
export { Simulation } from './simulation.ts'
export type { SteppedStore } from './stepped-store.ts'
export {
  type BrokeredScenario,
  type ClientEnvironment,
  type ClientScenarios,
  clientScenarios,
  type ServedScenario
} from './testing/client-scenario.ts'
export type { ExpectedPacket } from './testing/expectations.ts'
export { outcome, type Outcome } from './testing/outcome.ts'
export { scenario, type Scenario, type ScenarioClock, type ScenarioOptions } from './testing/scenario.ts'
export type { AcceptsOptions, ServedConnection } from './testing/served-connection.ts'
export type { ClientOptions, DisconnectsOptions, PublishesOptions, SubscribesOptions, TestClient } from './testing/test-client.ts'
