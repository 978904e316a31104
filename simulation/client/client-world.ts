import { ProtocolVersion } from '@godwit/client'
import { seededRandom, SimBroker, SimClock, SimDisk, Simulation } from '@godwit/testkit'
import { Choices } from '../choices.ts'
import { Violation } from '../violation.ts'
import { ClientLedger } from './client-ledger.ts'
import { Device } from './device.ts'
import { type OutboxFault, SimOutboxDisk } from './sim-outbox.ts'

/** Far more than any history needs to come to rest. */
const STEPS_MAX = 1_000_000
/** A failed commit is tried again after a second, a connection after at most as long; keep alive finds a dead link within 70. */
const REST_MS = 100_000

/** Our broker and our clients, on simulated time, network and disks. */
export class ClientWorld {
  readonly ledger: ClientLedger = new ClientLedger()
  readonly devices: readonly Device[]
  readonly clock: SimClock = new SimClock()
  readonly broker: SimBroker
  readonly #disk: SimDisk
  readonly #simulation: Simulation<SimDisk>
  readonly #choose: Choices
  /** What went wrong outside of any call of ours. */
  readonly #violations: Violation[] = []

  constructor(seed: number, fault: OutboxFault | undefined) {
    const choose = new Choices(seededRandom(seed ^ 0x2545_f491))
    this.#choose = choose
    this.#disk = new SimDisk(this.clock, { random: seededRandom(choose.below(0x7fff_ffff)) })
    this.#simulation = new Simulation({ seed: choose.below(0x7fff_ffff) }, this.#disk, this.clock)
    this.broker = new SimBroker(this.#simulation, { random: seededRandom(choose.below(0x7fff_ffff)) })
    this.devices = ['pump', 'valve', 'archive'].map((name) => {
      return new Device({
        name,
        protocolVersion: choose.chance(0.4) ? ProtocolVersion.Mqtt311 : ProtocolVersion.Mqtt5,
        disk: new SimOutboxDisk(seededRandom(choose.below(0x7fff_ffff)), fault),
        simulation: this.#simulation,
        broker: this.broker,
        ledger: this.ledger,
        choose,
        inflightMaximum: choose.one(1, 2, 5, 20),
        filter: name === 'archive' ? 'data/#' : undefined,
        fails: (violation) => this.#violations.push(violation)
      })
    })
  }

  /** The broker, and the devices: whoever takes messages has subscribed before the first is published. */
  async begins(): Promise<void> {
    await this.broker.starts()
    for (const device of this.devices) device.starts()
    await this.settles()
  }

  /** One step of whatever has something to do, by chance; what it causes among promises follows at once. */
  async work(): Promise<boolean> {
    const { clock, network } = this.#simulation
    const steps = [
      () => this.#disk.step(),
      () => network.step(),
      () => clock.runDeferred(),
      ...this.devices.map(
        ({ disk }) =>
          () =>
            disk.step()
      )
    ]
    const first = this.#choose.below(steps.length)
    const hasMoved = steps.some((_, index) => steps[(first + index) % steps.length]?.() === true)
    if (!hasMoved && !clock.advanceToNext(clock.now())) return false
    await promisesSettle()
    this.#check()
    return true
  }

  async works(steps: number): Promise<void> {
    for (let left = steps; left > 0 && (await this.work()); left--);
  }

  async settles(): Promise<void> {
    await promisesSettle()
    for (let steps = 0; await this.work(); steps++) {
      if (steps > STEPS_MAX) throw new Violation('the world does not come to rest')
    }
  }

  async passes(milliseconds: number): Promise<void> {
    await this.settles()
    const untilMs = this.clock.now() + milliseconds
    while (this.clock.advanceToNext(untilMs)) await this.settles()
    await this.settles()
  }

  async brokerCrashes(): Promise<void> {
    if (this.broker.isRunning) await this.broker.crashes()
  }

  async brokerStarts(): Promise<void> {
    if (!this.broker.isRunning) await this.broker.starts()
  }

  /** Everybody is there, and everything that was accepted is delivered, acknowledged and forgotten. */
  async comesToRest(): Promise<void> {
    this.#disk.hasRoomAgain()
    await this.brokerStarts()
    for (const device of this.devices) {
      device.starts()
      device.isPrompt = true
      device.acknowledges(Infinity)
    }
    await this.passes(REST_MS)
    for (const { name, isConnected, undelivered, disk } of this.devices) {
      if (!isConnected) throw new Violation(`${name} is not connected at rest`)
      if (undelivered > 0) throw new Violation(`${name} has ${undelivered} messages left at rest`)
      if (disk.messages > 0) throw new Violation(`the disk of ${name} has ${disk.messages} messages left at rest`)
      if (disk.receivedIdentifiers > 0) throw new Violation(`the disk of ${name} has packet identifiers left at rest`)
    }
    for (const device of this.devices) device.isPrompt = false
    this.ledger.check()
    this.ledger.rests()
  }

  async ends(): Promise<void> {
    for (const device of this.devices) await device.closes(() => this.settles())
    await this.broker.stops()
  }

  #check(): void {
    const [violation] = this.#violations
    if (violation !== undefined) throw violation
    const [error] = this.broker.loggedErrors
    if (error !== undefined) throw new Violation(`the broker logged an error: ${error}`)
  }
}

function promisesSettle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
