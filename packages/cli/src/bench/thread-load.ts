import { type Client, ClientError, type ClientOptions, connect, ProtocolVersion } from '@godwit/client'
import { connectionOf } from '../connection/connection.ts'
import { propertiesOf } from '../connection/properties.ts'
import { recordMs } from './latency.ts'
import { copiesOf } from './load.ts'
import { LoadPublisher } from './load-publisher.ts'
import { LoadSubscriber, type Receiving } from './load-subscriber.ts'
import { nowMs } from './now.ts'
import { Publishing } from './publishing.ts'
import { SCENARIOS } from './scenarios.ts'
import { ThreadFigures } from './thread-figures.ts'
import type { ThreadCommand, ThreadFindings, ThreadReply, ThreadTask } from './thread-messages.ts'

/** Connections of a thread that are under way at once, in all scenarios but `connect`. */
const CONNECTING = 64
/** Sessions of `durable` are ended with the run; those of a run that is killed, after this. */
const SESSION_EXPIRY_SECONDS = 3_600
/** A closed loop never comes near it; it is not to be what bounds a load. */
const OUTBOX_BYTES = 2 ** 40

/** One thread's part of a load: its clients, and what they have to do. */
export class ThreadLoad {
  readonly #task: ThreadTask
  readonly #urls: readonly string[]
  readonly #options: ClientOptions
  readonly #figures = new ThreadFigures()
  readonly #clients: Client[] = []
  readonly #publishers: LoadPublisher[] = []
  readonly #subscribers: LoadSubscriber[] = []
  #publishing: Publishing | undefined = undefined
  #isRingScheduled = false
  #isClosing = false

  private constructor(task: ThreadTask, urls: readonly string[], options: ClientOptions) {
    this.#task = task
    this.#urls = urls
    this.#options = options
  }

  static async create(task: ThreadTask): Promise<ThreadLoad> {
    // Warnings were given before the thread was started.
    const { urls, options } = await connectionOf(task.flags, propertiesOf(undefined), () => undefined)
    const expiry = task.load.scenario === 'durable' ? SESSION_EXPIRY_SECONDS : (options.sessionExpirySeconds ?? 0)
    const forMany: ClientOptions = {
      ...options,
      will: undefined,
      cleanStart: expiry === 0,
      sessionExpirySeconds: expiry,
      inflightMaximum: task.load.inflight,
      outboxLimits: { bytes: OUTBOX_BYTES }
    }
    return new ThreadLoad(task, urls, forMany)
  }

  async obey(command: ThreadCommand): Promise<ThreadReply> {
    switch (command.kind) {
      case 'connect':
        await this.#connectAll()
        return { kind: 'done' }
      case 'publish':
        this.#publish()
        return { kind: 'done' }
      case 'return':
        await this.#subscribeAll()
        return { kind: 'done' }
      case 'sample': {
        const underWay = this.#publishers.reduce((sum, each) => sum + each.underWay, 0)
        return { kind: 'sample', sample: this.#figures.sample(underWay, this.#publishing?.isDone ?? true) }
      }
      case 'stop':
        this.#publishing?.stop()
        return {
          kind: 'stopped',
          counts: this.#publishers.map(({ publisher, published, failed }) => ({ publisher, published, failed }))
        }
      case 'finish':
        return { kind: 'finished', findings: await this.#finish(command.published) }
    }
  }

  async #connectAll(): Promise<void> {
    const { load, threads } = this.#task
    if (load.scenario === 'connect') {
      await inParallel(this.#mine(load.subscribers), Math.max(1, Math.floor(load.inflight / threads)), async (client) => {
        // Some may be refused: how many can be had is part of what is asked.
        await this.#connect(`c${client}`).catch((error: unknown) => this.#countFailure(error))
      })
      return
    }
    this.#makeSubscribers()
    if (load.scenario === 'durable') await this.#leaveSessions()
    else await this.#subscribeAll()
    await inParallel(this.#mine(load.publishers), CONNECTING, async (publisher) => this.#addPublisher(publisher))
  }

  /** Of so many: each thread has every so manieth. */
  #mine(count: number): number[] {
    const { thread, threads } = this.#task
    const mine: number[] = []
    for (let index = thread; index < count; index += threads) mine.push(index)
    return mine
  }

  #makeSubscribers(): void {
    const { load, run, shared } = this.#task
    const { hears } = SCENARIOS[load.scenario]
    const all = Array.from({ length: load.publishers }, (_, publisher) => publisher)
    const topics = all.map((publisher) => topicOf(load.topic, publisher))
    const receiving: Receiving = {
      run,
      payloadBytes: load.payloadBytes,
      qos: load.qos,
      figures: this.#figures,
      topics,
      delivered: shared.delivered,
      onDelivery: (publisher) => this.#onDelivery(publisher)
    }
    const everything = load.publishers === 0 ? load.topic : `${load.topic}/+`
    for (const index of this.#mine(load.subscribers)) {
      const subscriber =
        hears === 'own'
          ? new LoadSubscriber(receiving, topicOf(load.topic, index), [index])
          : new LoadSubscriber(receiving, everything, all)
      this.#subscribers.push(subscriber)
    }
  }

  /** Connects the subscribers; of `durable`, they come back. */
  async #subscribeAll(): Promise<void> {
    const indexes = this.#mine(this.#task.load.subscribers)
    await inParallel([...this.#subscribers.entries()], CONNECTING, async ([place, subscriber]) => {
      const client = await this.#connect(`s${indexes[place]}`)
      await subscriber.subscribe(client).granted
    })
  }

  /** Makes sessions that stay when their clients have gone. */
  async #leaveSessions(): Promise<void> {
    await this.#subscribeAll()
    await inParallel(this.#clients.splice(0), CONNECTING, async (client) => client.close())
  }

  async #addPublisher(publisher: number): Promise<void> {
    const { load, run, shared } = this.#task
    const client = await this.#connect(`p${publisher}`)
    const copies = copiesOf({ hears: SCENARIOS[load.scenario].hears, subscribers: load.subscribers })
    const added = new LoadPublisher(client, {
      publisher,
      topic: topicOf(load.topic, publisher),
      qos: load.qos,
      inflight: load.inflight,
      // Nobody is there to receive: the window is of acknowledgements alone.
      copies: load.scenario === 'durable' ? 0 : copies,
      quota: load.messages === undefined ? Infinity : shareOf(load.messages, publisher, load.publishers),
      run,
      payloadBytes: load.payloadBytes,
      figures: this.#figures,
      delivered: shared.delivered,
      onProgress: (number) => this.#publishing?.wake(number)
    })
    this.#publishers.push(added)
  }

  async #connect(name: string): Promise<Client> {
    const { run, flags } = this.#task
    const startedAtMs = nowMs()
    const clientId = `${flags.idPrefix ?? 'bench'}${run.toString(36)}${name}`
    const client = await connect(this.#urls, { ...this.#options, clientId })
    this.#figures.connections++
    this.#figures.lastConnectionAtMs = nowMs()
    recordMs(this.#figures.connecting, this.#figures.lastConnectionAtMs - startedAtMs)
    this.#clients.push(client)
    client.on('disconnected', ({ error }) => {
      if (error === undefined || this.#isClosing) return
      this.#figures.disconnects++
      this.#figures.error(error.message)
    })
    return client
  }

  #countFailure(error: unknown): void {
    if (!(error instanceof ClientError)) throw error
    this.#figures.failed++
    this.#figures.error(error.message)
  }

  /** Closes a client, and ends its session. */
  async #leave(client: Client): Promise<void> {
    const { connection, clientId } = client
    await client.close({ drainMs: 0, sessionExpirySeconds: 0 })
    const stays = this.#options.sessionExpirySeconds !== 0 && connection?.protocolVersion !== ProtocolVersion.Mqtt5
    if (!stays) return
    // Before 5.0 nothing but a clean session ends one that stays.
    const again = await connect(this.#urls, { ...this.#options, clientId, cleanStart: true, sessionExpirySeconds: 0 })
    await again.close()
  }

  #publish(): void {
    const { load, thread, threads, shared } = this.#task
    if (this.#publishers.length === 0) return
    const { hears } = SCENARIOS[load.scenario]
    const { ratePerSecond } = load
    this.#publishing = new Publishing({
      publishers: this.#publishers,
      ratePerSecond: ratePerSecond === undefined ? undefined : (ratePerSecond * this.#publishers.length) / load.publishers,
      figures: this.#figures,
      bells: shared.bells,
      thread,
      listensToBell: hears === 'all' && threads > 1
    })
    this.#publishing.start()
  }

  #onDelivery(publisher: number): void {
    this.#publishing?.wake(publisher)
    const { load, threads } = this.#task
    if (this.#isRingScheduled || threads === 1 || SCENARIOS[load.scenario].hears !== 'all') return
    this.#isRingScheduled = true
    setImmediate(() => this.#ring())
  }

  /** Tells the other threads: once for all deliveries of a turn. */
  #ring(): void {
    this.#isRingScheduled = false
    const { thread, shared } = this.#task
    for (let other = 0; other < shared.bells.length; other++) {
      if (other === thread) continue
      Atomics.add(shared.bells, other, 1)
      Atomics.notify(shared.bells, other)
    }
  }

  async #finish(published: readonly number[]): Promise<ThreadFindings> {
    this.#isClosing = true
    await inParallel(this.#clients.splice(0), CONNECTING, async (client) => this.#leave(client))
    return {
      streams: this.#subscribers.flatMap((each) => each.findings(published)),
      foreign: this.#subscribers.reduce((sum, each) => sum + each.foreign, 0)
    }
  }
}

function topicOf(prefix: string, publisher: number): string {
  return `${prefix}/${publisher}`
}

/** The first ones take what is left over. */
function shareOf(messages: number, publisher: number, publishers: number): number {
  return Math.floor(messages / publishers) + (publisher < messages % publishers ? 1 : 0)
}

/** Does something with each, with so many under way at a time. */
async function inParallel<Item>(items: readonly Item[], width: number, work: (item: Item) => Promise<unknown>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
}
