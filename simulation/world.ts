import type { Broker, Fate } from '@godwit/broker'
import { ProtocolVersion } from '@godwit/protocol'
import { historyQueueFilter } from '@godwit/storage'
import { type DiskFault, seededRandom, SimBroker, SimClock, SimDisk, Simulation } from '@godwit/testkit'
import type { MemoryTransport } from '@godwit/transport'
import { Choices } from './choices.ts'
import { type Greeting, SimClient } from './client.ts'
import type { Profile } from './history.ts'
import { Model } from './model.ts'
import { historyRules, overflowRules } from './rules.ts'
import { Trace } from './trace.ts'
import { Violation } from './violation.ts'

/** Far more than any history needs to come to rest. */
const STEPS_MAX = 1_000_000

/** A store that fails says so; anything else that the broker logs as an error is one. */
const EXPECTED_ERROR = 'no space left on device'

/** A broker with its clients, its network and its disk, and the model of what it has to do. */
export class World {
  readonly model: Model
  readonly trace: Trace
  readonly disk: SimDisk
  readonly clients: readonly SimClient[]
  readonly clock: SimClock = new SimClock()
  readonly broker: SimBroker
  readonly #simulation: Simulation<SimDisk>
  readonly #choose: Choices
  readonly #diskShare: number
  readonly #historyMax: number
  /** In the runs of the broker before this one. */
  readonly #fatesBefore = new Map<Fate, number>()

  constructor(seed: number, profile: Profile, fault: DiskFault | undefined, isTraced: boolean) {
    const choose = new Choices(seededRandom(seed ^ 0x5bd1_e995))
    this.#choose = choose
    this.#diskShare = profile.diskShare
    this.#historyMax = profile.historyMax
    this.trace = new Trace(isTraced, () => this.clock.now() - START_MS)
    this.model = new Model(() => this.clock.now(), profile)
    this.disk = new SimDisk(this.clock, { random: seededRandom(choose.below(0x7fff_ffff)), fault })
    this.#simulation = new Simulation({ seed: choose.below(0x7fff_ffff) }, this.disk, this.clock)
    this.broker = new SimBroker(
      this.#simulation,
      {
        limits: { inflightMax: profile.inflightMax },
        overflow: overflowRules(profile.backlogMax),
        history: historyRules(profile.historyMax),
        shareStrategy: choose.one('round-robin', 'random', 'sticky'),
        random: seededRandom(choose.below(0x7fff_ffff))
      },
      () => {
        for (const client of this.clients) client.losesBroker()
      }
    )
    this.clients = Array.from({ length: profile.clients }, (_, index) => {
      const version = choose.chance(0.35) ? ProtocolVersion.Mqtt311 : ProtocolVersion.Mqtt5
      return this.newClient(`c${index + 1}`, version)
    })
  }

  /** What the messages in the history measure. */
  get historyBytes(): number {
    const [rule] = historyRules(this.#historyMax)
    if (rule === undefined) return 0
    return this.disk.backlog({ queue: this.disk.openQueue(historyQueueFilter(rule.topicFilter)), after: 0 }).bytes
  }

  newClient(clientId: string, version: ProtocolVersion): SimClient {
    return new SimClient(clientId, version, this.model, this.trace, this.#choose.random)
  }

  connect(client: SimClient, greeting: Greeting): void {
    const [server, transport] = this.#simulation.network.connect()
    this.broker.attach(server)
    this.#servers.set(client.clientId, server)
    client.connects(transport, greeting)
  }

  readonly #servers = new Map<string, MemoryTransport>()

  /** Both ends of a connection notice that it is lost; what was on its way is. */
  cutBoth(client: SimClient): void {
    if (!client.isConnected) return
    this.#servers.get(client.clientId)?.cut()
    client.loses('cut', true)
  }

  /** One step of whatever has something to do, by chance; what it causes among promises follows at once. */
  async work(): Promise<boolean> {
    const { store: disk, clock, network } = this.#simulation
    const disks = this.#choose.chance(this.#diskShare)
    const networks = this.#choose.chance(0.5)
    const hasMoved =
      (disks && disk.step()) ||
      (networks ? network.step() || clock.runDeferred() : clock.runDeferred() || network.step()) ||
      disk.step()
    if (!hasMoved) return clock.advanceToNext(clock.now())
    await promisesSettle()
    return true
  }

  async works(steps: number): Promise<void> {
    for (let left = steps; left > 0 && (await this.work());) left--
  }

  /** Until a commit is being written, if that comes about within so many steps. */
  async worksUntilWriting(steps: number): Promise<void> {
    for (let left = steps; left > 0 && !this.disk.isWriting && (await this.work());) left--
  }

  /** Until nothing moves any more. */
  async settles(): Promise<void> {
    for (let steps = 0; await this.work(); steps++) {
      if (steps > STEPS_MAX) throw new Violation('the broker does not come to rest')
    }
  }

  /** Everything that was sent is read, and everything that this changed is committed. */
  async comesToRest(): Promise<void> {
    this.disk.hasRoomAgain()
    this.disk.releasesCommits()
    if (!this.broker.isRunning) await this.starts()
    await this.settles()
    while (this.disk.failure !== undefined) await this.passes(100)
    this.model.quiet()
    this.checkErrors()
  }

  /** Time passes; all that it brings about settles on the way. */
  async passes(milliseconds: number): Promise<void> {
    await this.settles()
    const untilMs = this.clock.now() + milliseconds
    while (this.clock.advanceToNext(untilMs)) await this.settles()
    await this.settles()
  }

  async starts(): Promise<void> {
    this.trace.add(() => 'the broker starts')
    this.disk.releasesCommits()
    await this.broker.starts()
    this.model.started()
  }

  async crashes(): Promise<void> {
    if (!this.broker.isRunning) return
    this.trace.add(() => 'the broker crashes')
    this.#countFates(this.broker.running)
    this.model.crashed()
    await this.broker.crashes()
  }

  /** Shuts down in order. */
  async stops(): Promise<void> {
    if (!this.broker.isRunning) return
    await this.comesToRest()
    this.trace.add(() => 'the broker stops')
    const { running } = this.broker
    await this.broker.stops()
    this.#countFates(running)
    this.model.stopped()
  }

  #countFates({ fates }: Broker): void {
    for (const [fate, count] of fates) this.#fatesBefore.set(fate, (this.#fatesBefore.get(fate) ?? 0) + count)
  }

  /** How many messages have had a fate, in all the runs of the broker. */
  fate(fate: Fate): number {
    return (this.#fatesBefore.get(fate) ?? 0) + (this.broker.running.fates.get(fate) ?? 0)
  }

  /** What the broker logged as an error is one, but for a store that fails. */
  checkErrors(): void {
    for (const error of this.broker.loggedErrors.splice(0)) {
      if (!error.endsWith(EXPECTED_ERROR)) throw new Violation(`the broker logged an error: ${error}`)
    }
  }
}

const START_MS = new SimClock().now()

function promisesSettle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
