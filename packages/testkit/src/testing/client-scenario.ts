import type { MemoryTransport } from '@godwit/transport'
import { expect, test } from 'vitest'
import { seededRandom } from '../random.ts'
import { SimBroker, type SimBrokerOptions } from '../sim-broker.ts'
import type { SimClock } from '../sim-clock.ts'
import type { NetworkShape } from '../sim-network.ts'
import { SimStore } from '../sim-store.ts'
import { Simulation } from '../simulation.ts'
import { playOnNetworks } from './networks.ts'
import type { ScenarioClock } from './scenario.ts'
import { type AcceptsOptions, ServedConnection, type Target } from './served-connection.ts'

/** What a client library is given in place of the world: these are `ClientOptions` of `@godwit/client`. */
export interface ClientEnvironment {
  readonly clock: SimClock
  readonly random: () => number
  readonly transport: (target: Target & { readonly signal: AbortSignal }) => Promise<MemoryTransport>
}

interface Closing {
  close(options: { readonly drainMs: number }): Promise<unknown>
}

/** What every scenario of a client plays with. */
interface ClientStage<Options, Client> {
  readonly clock: ScenarioClock & { readonly timers: number }
  /** Opens a client that connects in the background, and settles. By default its ClientID is `device`, and the server's URL `mqtt://server`. */
  readonly opens: (options?: Options, url?: string | readonly string[]) => Promise<Client>
  /** The same, for a client that cannot be opened: what it rejects with. */
  readonly cannotOpen: (options?: Options, url?: string | readonly string[]) => Promise<unknown>
  /** Resolves once nothing moves any more. */
  readonly settles: () => Promise<void>
  /** From here on connections cannot be made: they fail at once, or never come about. Undefined: they can. */
  unreachable: 'refused' | 'silent' | undefined
}

/** A client and a server that does what the test tells it to. */
export interface ServedScenario<Options, Client> extends ClientStage<Options, Client> {
  /** The next connection that the client has opened. */
  readonly isCalled: () => Promise<ServedConnection>
  /** The same, for a client that waits before it tries again: time passes until it does. */
  readonly isCalledAgain: () => Promise<ServedConnection>
  /** The client has opened no further connection. */
  readonly isNotCalled: () => Promise<void>
  /** A client that has connected and was accepted, and the server's end of its connection. */
  readonly connects: (options?: Options, accepts?: AcceptsOptions) => Promise<readonly [Client, ServedConnection]>
}

/** Clients and our own broker. */
export interface BrokeredScenario<Options, Client> extends ClientStage<Options, Client> {
  readonly broker: SimBroker
  readonly store: SimStore
  /** Breaks every connection; both ends notice. */
  readonly breaksConnections: () => Promise<void>
}

interface ServedOptions {
  /** For a scenario that moves so much that one network has to do. */
  readonly networks?: readonly NetworkShape[]
}

/** The two kinds of scenario that a client library is tested in. Both end every client, and look for timers that it left behind. */
export interface ClientScenarios<Options, Client> {
  served(title: string, play: (scenario: ServedScenario<Options, Client>) => Promise<void>, options?: ServedOptions): void
  brokered(
    title: string,
    play: (scenario: BrokeredScenario<Options, Client>) => Promise<void>,
    options?: SimBrokerOptions & ServedOptions
  ): void
}

const NETWORKS: readonly NetworkShape[] = ['whole', 'bytes', { seed: 1 }]
/** As long as a client may wait for a server that does not close. */
const CLOSE_MS = 60_000
/** As long as a client may wait before it tries again. */
const RECONNECT_MS = 120_000
const RECONNECT_STEP_MS = 50

/** @param open opens a client, as `openClient` of `@godwit/client` does: this package knows no client */
export function clientScenarios<Options extends object, Client extends Closing>(
  open: (url: string | readonly string[], options: Options & ClientEnvironment & { readonly clientId: string }) => Promise<Client>
): ClientScenarios<Options, Client> {
  return {
    served: (title, play, { networks = NETWORKS } = {}) => {
      test(title, async () => {
        await playOnNetworks(networks, async (shape) => {
          const stage = new ServedStage(shape, open)
          await play(stage)
          await stage.settles()
          stage.expectNothingLeft()
          await stage.endsClients()
          stage.expectNoTimers()
        })
      })
    },
    brokered: (title, play, { networks = NETWORKS, ...brokerOptions } = {}) => {
      test(title, async () => {
        await playOnNetworks(networks, async (shape) => {
          const stage = new BrokeredStage(shape, open, brokerOptions)
          await stage.broker.starts()
          await play(stage)
          await stage.endsClients()
          if (stage.broker.isRunning) await stage.broker.stops()
          stage.expectNoTimers()
          expect(stage.broker.loggedErrors, 'errors that the broker logged').toEqual([])
        })
      })
    }
  }
}

abstract class Stage<Options extends object, Client extends Closing> {
  unreachable: 'refused' | 'silent' | undefined = undefined
  readonly clock: ScenarioClock & { readonly timers: number }
  protected readonly simulation: Simulation<SimStore>
  readonly #open: Parameters<typeof clientScenarios<Options, Client>>[0]
  readonly #random: () => number
  readonly #clients: Client[] = []

  constructor(shape: NetworkShape, open: Parameters<typeof clientScenarios<Options, Client>>[0]) {
    const simulation = new Simulation(shape, new SimStore())
    this.simulation = simulation
    this.#open = open
    this.#random = seededRandom(typeof shape === 'string' ? 0 : shape.seed)
    this.clock = {
      get timers() {
        return simulation.clock.timers
      },
      now: () => simulation.clock.now(),
      advancesSeconds: (seconds) => simulation.advances(seconds * 1000),
      advancesMs: (milliseconds) => simulation.advances(milliseconds)
    }
  }

  // Fields, so that a scenario can take them apart.
  readonly settles = async (): Promise<void> => {
    await this.simulation.settles()
  }

  readonly opens = async (options?: Options, url: string | readonly string[] = 'mqtt://server'): Promise<Client> => {
    const opening = this.#open(url, this.#environment(options))
    await this.settles()
    const client = await opening
    this.#clients.push(client)
    return client
  }

  readonly cannotOpen = async (options?: Options, url: string | readonly string[] = 'mqtt://server'): Promise<unknown> => {
    const opening = this.#open(url, this.#environment(options)).then(
      () => expect.fail('the client was opened'),
      (error: unknown) => error
    )
    await this.settles()
    return await opening
  }

  async endsClients(): Promise<void> {
    const closing = Promise.all(this.#clients.map((client) => client.close({ drainMs: 0 })))
    await this.settles()
    await this.simulation.advances(CLOSE_MS)
    await closing
    await this.settles()
  }

  expectNoTimers(): void {
    expect(this.clock.timers, 'timers that were left behind').toBe(0)
  }

  protected abstract attach(target: Target, ends: readonly [MemoryTransport, MemoryTransport]): void

  #environment(options: Options | undefined): Options & ClientEnvironment & { readonly clientId: string } {
    const environment = {
      clientId: 'device',
      clock: this.simulation.clock,
      random: this.#random,
      transport: (target: Target & { readonly signal: AbortSignal }) => this.#connects(target)
    }
    return Object.assign({}, environment, options)
  }

  async #connects(target: Target & { readonly signal: AbortSignal }): Promise<MemoryTransport> {
    if (this.unreachable === 'refused') throw new Error('connection refused')
    if (this.unreachable === 'silent') {
      const { promise, reject } = Promise.withResolvers<MemoryTransport>()
      target.signal.addEventListener('abort', () => reject(new Error('given up')), { once: true })
      return await promise
    }
    const ends = this.simulation.network.connect()
    this.attach(target, ends)
    return ends[1]
  }
}

class ServedStage<Options extends object, Client extends Closing>
  extends Stage<Options, Client>
  implements ServedScenario<Options, Client>
{
  readonly #connections: ServedConnection[] = []
  #called = 0

  readonly isCalled = async (): Promise<ServedConnection> => {
    await this.settles()
    const connection = this.#connections[this.#called]
    if (connection === undefined) expect.fail('the client has opened no further connection')
    this.#called++
    return connection
  }

  readonly isCalledAgain = async (): Promise<ServedConnection> => {
    await this.settles()
    for (let waitedMs = 0; waitedMs < RECONNECT_MS && this.#called === this.#connections.length; waitedMs += RECONNECT_STEP_MS) {
      await this.simulation.advances(RECONNECT_STEP_MS)
    }
    return await this.isCalled()
  }

  readonly isNotCalled = async (): Promise<void> => {
    await this.settles()
    const urls = this.#connections.slice(this.#called).map(({ target }) => target.url)
    expect(urls, 'connections that the client has opened, unexpectedly').toEqual([])
  }

  readonly connects = async (options?: Options, accepts?: AcceptsOptions): Promise<readonly [Client, ServedConnection]> => {
    const client = await this.opens(options)
    const connection = await this.isCalled()
    await connection.accepts(accepts)
    return [client, connection]
  }

  expectNothingLeft(): void {
    for (const connection of this.#connections) connection.expectNothingLeft()
    for (const connection of this.#connections) connection.ignoresTheRest()
  }

  protected attach(target: Target, ends: readonly [MemoryTransport, MemoryTransport]): void {
    const name = `connection ${this.#connections.length + 1}`
    this.#connections.push(new ServedConnection(name, target, ends, this))
  }
}

class BrokeredStage<Options extends object, Client extends Closing>
  extends Stage<Options, Client>
  implements BrokeredScenario<Options, Client>
{
  readonly broker: SimBroker
  readonly store: SimStore
  readonly #ends: (readonly [MemoryTransport, MemoryTransport])[] = []

  constructor(shape: NetworkShape, open: Parameters<typeof clientScenarios<Options, Client>>[0], options: SimBrokerOptions) {
    super(shape, open)
    this.broker = new SimBroker(this.simulation, options)
    this.store = this.simulation.store
  }

  readonly breaksConnections = async (): Promise<void> => {
    for (const end of this.#ends.splice(0).flat()) end.cut()
    await this.settles()
  }

  protected attach(_target: Target, ends: readonly [MemoryTransport, MemoryTransport]): void {
    if (!this.broker.isRunning) throw new Error('connection refused')
    this.#ends.push(ends)
    this.broker.attach(ends[0])
  }
}
