import { type Client, ClientError, connect, type Message, type QoS, type Subscription } from '@godwit/client'
import { isSharedSubscription, reasonCodeName, RetainHandling, topicMatches } from '@godwit/protocol'
import { complainOfClient, exitCodeOf, type Tell, teller } from '../complain-of-client.ts'
import { followConnection } from '../connection/connection-log.ts'
import { ExitCode } from '../exit-code.ts'
import { stopSignal } from '../signals.ts'
import { StandardOutput } from '../standard-output.ts'
import { shown } from './shown-message.ts'
import type { SubFlags } from './sub-flags.ts'
import { type SubPlan, subPlanOf } from './sub-plan.ts'

/** `godwit sub [filter...]`: shows messages until it has what it came for. */
export async function sub(args: readonly string[], flags: SubFlags): Promise<ExitCode> {
  const tell = teller(flags.quiet)
  try {
    const place = { isTTY: process.stdout.isTTY, environment: process.env }
    const plan = await subPlanOf(args, flags, place, tell)
    const client = await connect(plan.urls, plan.options)
    followConnection(client, tell, flags.debug)
    try {
      return await new Subscribing(client, plan, flags, tell).run()
    } finally {
      await client.close({ sessionExpirySeconds: plan.sessionExpirySeconds })
    }
  } catch (error) {
    return complainOfClient(error, tell)
  }
}

/** One run of `godwit sub`. */
class Subscribing {
  readonly #client: Client
  readonly #plan: SubPlan
  readonly #flags: SubFlags
  readonly #tell: Tell
  readonly #output = new StandardOutput(process.stdout)
  readonly #end = Promise.withResolvers<ExitCode>()
  #isEnding = false
  #count = 0
  #idle: NodeJS.Timeout | undefined = undefined
  /** Filters that the server refused. */
  readonly #refused = new Set<string>()
  /** The first time that it did. */
  #refusal: ClientError | undefined = undefined

  constructor(client: Client, plan: SubPlan, flags: SubFlags, tell: Tell) {
    this.#client = client
    this.#plan = plan
    this.#flags = flags
    this.#tell = tell
  }

  async run(): Promise<ExitCode> {
    const { timeoutMs } = this.#plan
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#onTimeout(), timeoutMs)
    void stopSignal().then(() => this.#finish(ExitCode.Done))
    void this.#output.closed.then((error) => this.#onOutputClosed(error))
    this.#client.on('closed', ({ error }) => {
      if (error === undefined) return
      this.#tell(error.message)
      this.#finish(exitCodeOf(error))
    })
    this.#client.on('subscribeFailed', ({ filter, error }) => this.#onRefused(filter, error))
    // Of subscriptions that the session has from another time: shown when nobody has asked for them.
    this.#client.on('unclaimed', ({ message }) => void this.#onMessage(message))
    this.#subscribe().catch((error: unknown) => this.#end.reject(error))
    const code = await this.#end.promise
    clearTimeout(timer)
    clearTimeout(this.#idle)
    // What is written is acknowledged before the connection is closed.
    await this.#output.end()
    return code === ExitCode.Done && this.#refusal !== undefined ? exitCodeOf(this.#refusal) : code
  }

  async #subscribe(): Promise<void> {
    const { filters, subscribeOptions, unsubscribe } = this.#plan
    const granted = filters.map(async (filter, index) => {
      const earlier = filters.slice(0, index)
      const subscription = this.#client.subscribe(filter, subscribeOptions, (message) =>
        // A message for several of them is shown once.
        this.#isTaken(earlier, filter, message.topic) ? message.ack() : this.#onMessage(message)
      )
      const qos = await grantedOf(subscription)
      if (qos !== undefined && this.#flags.debug === true) this.#tell(`subscribed to ${filter} with QoS ${qos}`)
      return qos !== undefined
    })
    const isAnyGranted = (await Promise.all(granted)).includes(true)
    for (const filter of unsubscribe) await this.#giveUp(filter)
    if (!isAnyGranted || this.#flags.exitWhenSubscribed === true) this.#finish(ExitCode.Done)
    else this.#restIdle()
  }

  /** At first, or when the connection was made again. */
  #onRefused(filter: string, error: ClientError): void {
    this.#refused.add(filter)
    this.#tell(`${filter}: ${error.message}`)
    this.#refusal ??= error
  }

  /** A subscription that only the session knows is made anew, without its retained messages, so that there is something to give up. */
  async #giveUp(filter: string): Promise<void> {
    const options = { ...this.#plan.subscribeOptions, retainHandling: RetainHandling.DoNotSend }
    const subscription = this.#client.subscribe(filter, options, (message) => this.#onMessage(message))
    await grantedOf(subscription)
    await subscription.unsubscribe()
  }

  /** At QoS 1 and 2 the server keeps a message until it is written. */
  #onMessage(message: Message): Promise<void> | undefined {
    const { topic, retain } = message
    const { retainedOnly, removeRetained, freshOnly } = this.#flags
    // Not acknowledged: the server has it for the next time.
    if (this.#isEnding) return undefined
    this.#restIdle()
    if (retainedOnly === true && !retain) {
      this.#finish(ExitCode.Done)
      return undefined
    }
    const { filterOut, chance, format, countMax, until } = this.#plan
    if (filterOut.some((filter) => topicMatches(filter, topic))) {
      message.ack()
      return undefined
    }
    if (removeRetained === true && retain) this.#remove(topic)
    if ((freshOnly === true && retain) || (chance < 1 && Math.random() >= chance)) {
      message.ack()
      return undefined
    }
    const room = this.#output.write(format(shown(message)), () => message.ack())
    this.#count++
    const isLast = until !== undefined && Buffer.compare(message.payload, until) === 0
    if (isLast || this.#count >= countMax) this.#finish(ExitCode.Done)
    return room
  }

  #remove(topic: string): void {
    void this.#client.publish(topic, '', { retain: true, qos: 1 }).then(
      ({ reasonCode }) => {
        if (this.#flags.debug === true) this.#tell(`${topic}: removed (${reasonCodeName(reasonCode)})`)
      },
      (error: unknown) => {
        if (!(error instanceof ClientError)) throw error
        this.#tell(`${topic}: ${error.message}`)
        this.#refusal ??= error
      }
    )
  }

  /** Whether a filter before this one matches as well, and is in force. What comes by a shared subscription is another copy. */
  #isTaken(earlier: readonly string[], filter: string, topic: string): boolean {
    if (isSharedSubscription(filter)) return false
    return earlier.some((each) => !isSharedSubscription(each) && !this.#refused.has(each) && topicMatches(each, topic))
  }

  #restIdle(): void {
    const { idleMs } = this.#plan
    if (idleMs === undefined || this.#isEnding) return
    if (this.#idle === undefined) this.#idle = setTimeout(() => this.#finish(ExitCode.Done), idleMs)
    else this.#idle.refresh()
  }

  #onTimeout(): void {
    this.#tell('timed out')
    this.#finish(ExitCode.TimedOut)
  }

  #onOutputClosed(error: Error | undefined): void {
    if (error !== undefined) this.#tell(`cannot write to standard output: ${error.message}`)
    // Whoever read has had enough, `| head`: there is nobody to tell.
    this.#finish(error === undefined ? ExitCode.Done : ExitCode.Failed)
  }

  #finish(code: ExitCode): void {
    this.#isEnding = true
    this.#end.resolve(code)
  }
}

/** The QoS that the server granted; undefined if it refused, which an event tells. */
async function grantedOf(subscription: Subscription): Promise<QoS | undefined> {
  try {
    return await subscription.granted
  } catch (error) {
    if (error instanceof ClientError) return undefined
    throw error
  }
}
