import { type ConnackPacket, PacketType } from '@godwit/protocol'
import { expect, test } from 'vitest'
import { connect } from '../packets.ts'
import { SimBroker, type SimBrokerOptions } from '../sim-broker.ts'
import type { NetworkShape } from '../sim-network.ts'
import { SimStore } from '../sim-store.ts'
import { Simulation } from '../simulation.ts'
import { playOnNetworks } from './networks.ts'
import { type ClientOptions, TestClient } from './test-client.ts'

/** What every scenario runs on otherwise, one after the other. */
const NETWORKS: readonly NetworkShape[] = ['whole', 'bytes', 'handed-over', { seed: 1 }]

export interface ScenarioOptions extends SimBrokerOptions {
  /** For a scenario that moves so much that one network has to do. */
  readonly networks?: readonly NetworkShape[]
}

/** What a scenario plays with. */
export interface Scenario {
  readonly broker: SimBroker
  readonly clock: ScenarioClock
  /** Holds commits back, lets them go, has them fail. */
  readonly store: SimStore
  /** A new client that connects and is accepted; by default on 5.0, with a ClientID of its own, Clean Start 1, Keep Alive 0. */
  readonly connects: (options?: ClientOptions) => Promise<TestClient>
  /**
   * A new client whose CONNECT is refused with this Reason Code (3.1, 3.1.1: return code), or closed without an answer if
   * that is undefined; then the network connection is closed. Returns the CONNACK.
   */
  readonly refuses: (options: ClientOptions, reasonCode: number | undefined) => Promise<ConnackPacket | undefined>
  /** A network connection on which nothing has been sent. */
  readonly raw: (options?: ClientOptions) => Promise<TestClient>
  /** Resolves once nothing moves any more. Every action of a client ends with it. */
  readonly settles: () => Promise<void>
}

/** Time, moved by hand; everything settles on the way. */
export interface ScenarioClock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  advancesSeconds(seconds: number): Promise<void>
  advancesMs(milliseconds: number): Promise<void>
}

type Play = (scenario: Scenario) => Promise<void>

/**
 * A test that plays on a fresh broker in memory, on time that it moves itself: on a network that delivers what is written
 * at once, on one that delivers byte by byte, on one that hands over as I/O threads do, and on one that cuts and delays at random.
 */
export function scenario(title: string, play: Play): void
export function scenario(title: string, options: ScenarioOptions, play: Play): void
export function scenario(title: string, first: ScenarioOptions | Play, second?: Play): void {
  const [options, play] = typeof first === 'function' ? [{}, first] : [first, second]
  if (play === undefined) throw new TypeError(`nothing to play: ${title}`)
  const { networks = NETWORKS, ...brokerOptions } = options
  test(title, async () => {
    await playOnNetworks(networks, (shape) => playAndCheck(new Stage(shape, brokerOptions), play))
  })
}

async function playAndCheck(stage: Stage, play: Play): Promise<void> {
  const { broker } = stage
  await broker.starts()
  await play(stage)
  await stage.settles()
  for (const client of stage.clients) client.expectNothingLeft()
  expect(broker.loggedErrors, 'errors that the broker logged').toEqual([])
  if (broker.isRunning) await broker.stops()
  expect(broker.loggedErrors, 'errors that the broker logged when it was stopped').toEqual([])
}

class Stage implements Scenario {
  readonly simulation: Simulation<SimStore>
  readonly broker: SimBroker
  readonly store: SimStore
  readonly clock: ScenarioClock
  readonly clients: TestClient[] = []

  constructor(shape: NetworkShape, options: SimBrokerOptions) {
    const simulation = new Simulation(shape, new SimStore())
    this.simulation = simulation
    this.broker = new SimBroker(simulation, options, () => {
      for (const client of this.clients) client.losesBroker()
    })
    this.store = simulation.store
    this.clock = {
      now: () => simulation.clock.now(),
      advancesSeconds: (seconds) => simulation.advances(seconds * 1000),
      advancesMs: (milliseconds) => simulation.advances(milliseconds)
    }
  }

  // Fields, so that a scenario can take them apart.
  readonly settles = async (): Promise<void> => {
    await this.simulation.settles()
  }

  readonly raw = async (options: ClientOptions = {}): Promise<TestClient> => {
    const ends = this.simulation.network.connect()
    const client = new TestClient(this, options, ends)
    this.clients.push(client)
    this.broker.attach(ends[0])
    await this.settles()
    return client
  }

  readonly connects = async (options: ClientOptions = {}): Promise<TestClient> => {
    const client = await this.raw({ clientId: `client-${this.clients.length + 1}`, ...options })
    await client.isAccepted(connect(withoutOwn(client.options)))
    return client
  }

  readonly refuses = async (options: ClientOptions, reasonCode: number | undefined): Promise<ConnackPacket | undefined> => {
    const client = await this.raw(options)
    await client.sends(connect(withoutOwn(options)))
    const connack =
      reasonCode === undefined ? undefined : await client.receives({ type: PacketType.Connack, sessionPresent: false })
    expect(connack?.reasonCode, 'the reason why the client is refused').toBe(reasonCode)
    await client.isClosed()
    return connack
  }
}

function withoutOwn({ acknowledges: _own, ...options }: ClientOptions) {
  return options
}
