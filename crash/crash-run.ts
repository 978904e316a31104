import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '@godwit/testkit'
import { BrokerProcess } from './broker-process.ts'
import { type Cast, makeCast } from './cast.ts'
import { Ledger } from './ledger.ts'
import { checkRetained } from './retained-check.ts'
import { below, type Stage } from './stage.ts'

export interface CrashRunOptions {
  readonly seed: number
  readonly kills: number
  /** Everything in memory: what a broker is found to lose. */
  readonly inMemory?: boolean
  readonly nodeFlags?: readonly string[]
  /** The broker's, for sockets. Default: none. */
  readonly ioThreads?: number
  /** How long what is missing may not come before it is given up. */
  readonly patienceMs?: number
  readonly onLife?: (life: string) => void
}

export interface CrashRunResult {
  /** What the broker lost, repeated, reordered or did otherwise than it should, in words. */
  readonly failures: readonly string[]
  readonly messages: number
  readonly deliveries: number
  readonly kills: Readonly<Record<KillKind, number>>
  /** Where the data of a run that failed is left. */
  readonly data: string | undefined
}

/** How the broker ends: at any moment of its life, with its process group, while it shuts down, while it starts. */
const KILL_KINDS = ['process', 'group', 'shutdown', 'start'] as const
type KillKind = (typeof KILL_KINDS)[number]

/** The clock of the load. */
const TICK_MS = 5
const LIFE_MS_MAX = 500
const PATIENCE_MS = 10_000
/** SIGKILL comes so long after SIGTERM at most; an orderly end takes some tens of milliseconds. */
const SHUTDOWN_MS_MAX = 60

/**
 * Kills the broker again and again under load, and starts it again on what it left; in the end every message that it
 * acknowledged has to be accounted for.
 */
export async function crashRun(options: CrashRunOptions): Promise<CrashRunResult> {
  const data = mkdtempSync(join(tmpdir(), 'godwit-crash-'))
  const run = new CrashRun(options, data)
  try {
    await run.play()
  } catch (error) {
    run.ledger.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await run.end()
  }
  const { failures, sentCount, deliveries } = run.ledger
  if (failures.length === 0) rmSync(data, { recursive: true, force: true })
  return { failures, messages: sentCount, deliveries, kills: run.kills, data: failures.length === 0 ? undefined : data }
}

class CrashRun {
  readonly ledger = new Ledger()
  readonly kills: Record<KillKind, number> = { process: 0, group: 0, shutdown: 0, start: 0 }
  readonly #options: CrashRunOptions
  readonly #patienceMs: number
  readonly #data: string | undefined
  readonly #random: () => number
  readonly #stage: Stage
  readonly #cast: Cast
  #broker: BrokerProcess
  #startMs = 0
  #ticker: NodeJS.Timeout | undefined
  /** Publishers publish. */
  #isLoaded = false
  /** Nobody dies any more. */
  #isEnding = false

  constructor(options: CrashRunOptions, data: string) {
    this.#options = options
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS
    this.#data = options.inMemory === true ? undefined : data
    this.#random = seededRandom(options.seed)
    const hasThreads = (options.ioThreads ?? 0) > 0
    this.#stage = { ledger: this.ledger, random: this.#random, isUp: false, hasThreads, port: 0 }
    this.#cast = makeCast(this.#stage)
    this.#broker = this.#launch()
  }

  async play(): Promise<void> {
    await this.#listening()
    await Promise.all(this.#cast.subscribers.map((subscriber) => subscriber.begin()))
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    for (const sleeper of this.#cast.sleepers) sleeper.cut()
    for (let kill = 0; kill < this.#options.kills; kill++) await this.#live(kill)
    await this.#settle()
    await this.#restartInOrder()
  }

  /** Ends everything, whatever has come of it. */
  async end(): Promise<void> {
    clearInterval(this.#ticker)
    this.#stage.isUp = false
    if (this.#broker.hasExited) this.ledger.fail('the broker has ended by itself')
    this.#checkLog()
    await this.#broker.kill('group')
    const { publishers, subscribers, mortals, fickle } = this.#cast
    for (const client of [...publishers, ...subscribers, ...mortals, fickle]) client.cut()
  }

  /** One life of the broker, from when it listens until it listens again. */
  async #live(number: number): Promise<void> {
    // Of ten kills, seven end the process at some moment, and one each in another way.
    const kind = KILL_KINDS[Math.max(0, (number % 10) - 6)] ?? 'process'
    const lifeMs = below(this.#random, LIFE_MS_MAX)
    this.#options.onLife?.(`kill ${number + 1}: ${kind}, after ${lifeMs} ms, ${this.ledger.sentCount} messages sent`)
    this.kills[kind]++
    this.#comeBack()
    await delay(lifeMs)
    if (this.#broker.hasExited) throw new Error('the broker has ended by itself')
    this.#stage.isUp = false
    this.#isLoaded = false
    if (kind === 'shutdown') {
      this.#broker.terminate()
      await delay(below(this.#random, SHUTDOWN_MS_MAX))
    }
    await this.#broker.kill(kind === 'group' ? 'group' : 'process')
    this.#checkLog()
    this.#broker = this.#launch()
    if (kind === 'start') {
      await delay(this.#startMs * (0.5 + this.#random() * 0.6))
      await this.#broker.kill('process')
      this.#checkLog()
      this.#broker = this.#launch()
    }
    await this.#listening()
  }

  /** Everybody who is seldom away is back, publishers once retained messages have been looked at. */
  #comeBack(): void {
    const { subscribers, sleepers, mortals, fickle, retained, publishers } = this.#cast
    const broker = this.#broker
    for (const subscriber of subscribers) if (!sleepers.includes(subscriber)) subscriber.comeBack()
    for (const mortal of mortals) if (!mortal.isAway) mortal.comeBack()
    fickle.comeBack()
    void checkRetained(this.#stage, retained, this.#patienceMs).then(() => {
      if (broker !== this.#broker || !this.#stage.isUp) return
      for (const publisher of publishers) publisher.comeBack()
      this.#isLoaded = true
    })
  }

  #tick(): void {
    if (!this.#stage.isUp) return
    const { publishers, subscribers, sleepers, mortals, fickle } = this.#cast
    for (const subscriber of subscribers) subscriber.tick()
    if (!this.#isEnding) for (const mortal of mortals) if (!mortal.isConnecting && !mortal.isAway) mortal.comeBack()
    if (!this.#isLoaded) return
    for (const publisher of publishers) publisher.publish(below(this.#random, 8))
    fickle.change()
    // About one client in twenty ticks is cut off, taken over, or wakes up, or falls asleep.
    const chance = this.#random()
    if (chance < 0.01) mortals[below(this.#random, mortals.length)]?.cut()
    else if (chance < 0.03) {
      const everybody = [...subscribers, ...publishers]
      everybody[below(this.#random, everybody.length)]?.comeBack()
    } else if (chance < 0.05) {
      const sleeper = sleepers[below(this.#random, sleepers.length)]
      if (sleeper?.isConnecting === true) sleeper.cut()
      else sleeper?.comeBack()
    }
  }

  /** Everybody is there, nobody publishes anything new, and what is acknowledged arrives. */
  async #settle(): Promise<void> {
    const { publishers, sleepers, mortals, fickle, retained } = this.#cast
    this.#comeBack()
    await this.#until(
      () => this.#isLoaded && publishers.every(({ isAccepted }) => isAccepted),
      () => 'publishers cannot connect'
    )
    this.#isLoaded = false
    for (const sleeper of sleepers) sleeper.comeBack()
    await this.#arrives()
    // What came before these in every queue comes before them, repeated or not.
    for (const publisher of publishers) publisher.publishToEach()
    fickle.probe()
    await this.#arrives()
    await checkRetained(this.#stage, retained, this.#patienceMs)
    this.#isEnding = true
    for (const mortal of mortals) mortal.leave()
    await this.#areAnswered()
  }

  async #arrives(): Promise<void> {
    const { publishers, subscribers, fickle } = this.#cast
    const isDone = () =>
      [...publishers, fickle].every(({ unacknowledged }) => unacknowledged === 0) && this.ledger.missing().length === 0
    await this.#until(isDone, () => {
      const waiting = publishers.filter(({ unacknowledged }) => unacknowledged > 0)
      const unacknowledged = waiting.map(
        (publisher) => `${publisher.clientId} waits for ${publisher.unacknowledged} acknowledgements`
      )
      const absent = subscribers.filter(({ isAccepted }) => !isAccepted).map(({ clientId }) => `${clientId} was not accepted`)
      return [...this.ledger.missing(), ...unacknowledged, ...absent].join('\n')
    })
  }

  /** Subscribers have answered everything, QoS 2 to its end, and the broker has read it. */
  async #areAnswered(): Promise<void> {
    const { subscribers } = this.#cast
    const areIdle = () => subscribers.every(({ isIdle }) => isIdle)
    for (let round = 0; round < 2; round++) {
      await this.#until(areIdle, () => 'subscribers cannot answer everything')
      for (const subscriber of subscribers) subscriber.ping()
    }
    await this.#until(areIdle, () => 'subscribers are not answered')
  }

  /** After an orderly end every session is there, and nothing comes again. */
  async #restartInOrder(): Promise<void> {
    this.#stage.isUp = false
    const { code, signal } = await this.#broker.stop()
    if (code !== 0) this.ledger.fail(`the broker ended with ${signal ?? code} on SIGTERM`)
    this.#checkLog()
    this.ledger.expectNoRepetition()
    this.#broker = this.#launch()
    await this.#listening()
    const { subscribers, publishers, fickle } = this.#cast
    for (const client of [...subscribers, ...publishers]) client.comeBack()
    const everybody = [...subscribers, ...publishers]
    await this.#until(
      () => everybody.every(({ isAccepted }) => isAccepted),
      () => 'not everybody can connect again'
    )
    fickle.comeBack()
    for (const publisher of publishers) publisher.publishToEach()
    await this.#arrives()
  }

  /** @throws if nothing has changed for some time, with the reason that is given */
  async #until(isDone: () => boolean, why: () => string): Promise<void> {
    let lastChangeAt = performance.now()
    let before = ''
    while (!isDone()) {
      await delay(TICK_MS)
      if (this.#broker.hasExited) throw new Error('the broker has ended by itself')
      const unacknowledged = this.#cast.publishers.map((publisher) => publisher.unacknowledged)
      const now = [this.ledger.deliveries, ...unacknowledged].join()
      if (now !== before) lastChangeAt = performance.now()
      before = now
      if (performance.now() - lastChangeAt > 2 * this.#patienceMs) throw new Error(why())
    }
  }

  #launch(): BrokerProcess {
    const { nodeFlags = [], ioThreads = 0 } = this.#options
    return new BrokerProcess({ data: this.#data, nodeFlags, flags: ['--io-threads', String(ioThreads)] })
  }

  async #listening(): Promise<void> {
    const since = performance.now()
    const { mqtt } = await this.#broker.listening
    this.#startMs = performance.now() - since
    this.#stage.port = mqtt
    this.#stage.isUp = true
  }

  /** Nothing that happens here is an error of the broker's. */
  #checkLog(): void {
    for (const line of this.#broker.log) this.ledger.fail(`the broker logged: ${line}`)
  }
}
