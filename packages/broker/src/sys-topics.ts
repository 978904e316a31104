import { RetainHandling } from '@godwit/protocol'
import type { Engine } from './engine.ts'
import type { LocalSubscription } from './local-subscription.ts'
import type { Message } from './message.ts'
import type { SharedSubscription } from './shared-subscription.ts'
import type { Subscription } from './subscription.ts'
import { SysFeed, type SysListener } from './sys-feed.ts'
import { type SysValue, sysValues } from './sys-values.ts'
import type { Timer } from './timers.ts'

/** Messages sent before other connections get their turn. */
const MESSAGES_PER_TURN = 256

/**
 * `$SYS/broker/...`: what the broker tells of itself, to those who have subscribed, when they subscribe and then as it
 * changes, at most once in an interval. These messages take no part in what happens to others: they are not published,
 * stored or counted, and where they cannot be sent the next value stands in for them.
 */
export class SysTopics {
  readonly #engine: Engine
  readonly #intervalMs: number
  /** By subscription, group, or listener of the application. */
  readonly #feeds = new Map<object, SysFeed>()
  readonly #timer: Timer
  #values: readonly SysValue[] = []
  #isRunning = false

  /** @param intervalSeconds 0: there are no such topics */
  constructor(engine: Engine, intervalSeconds: number) {
    this.#engine = engine
    this.#intervalMs = intervalSeconds * 1000
    this.#timer = engine.timers.create(() => this.#tick())
  }

  /** The broker is up: this is when its uptime begins. */
  open(): void {
    this.#values = sysValues(this.#engine)
  }

  /** Begins to tell a session, or the group that its subscription has joined. */
  add(subscription: Subscription, replaced: Subscription | undefined): void {
    const { group, session, retainHandling, matchFilter } = subscription
    if (this.#intervalMs === 0) return
    if (group !== undefined) {
      // Shared subscriptions get no retained messages ([5.0 4.8.2]).
      if (!this.#feeds.has(group)) this.#skipPresent(this.#open(group, new GroupListener(group, matchFilter), false))
      return
    }
    const listener = new SessionListener(subscription)
    const wantsRetained =
      retainHandling === RetainHandling.SendAtSubscribe || (retainHandling === RetainHandling.SendIfNew && replaced === undefined)
    // Put back after a restart, it is not new; but everything is another value than before, and is sent as that.
    if (session.isAbsent) this.#open(subscription, listener, false)
    else if (!wantsRetained) this.#skipPresent(this.#open(subscription, listener, false))
    // What is there already comes after the SUBACK, as retained messages do.
    else if (session.isDurable) this.#sendPresentLater(this.#open(subscription, listener, true))
    else this.#sendPresent(this.#open(subscription, listener, true))
  }

  /** Begins to tell a listener of the application. */
  addLocal(local: LocalSubscription): void {
    if (this.#intervalMs > 0) this.#sendPresent(this.#open(local, new ApplicationListener(local, this.#engine), true))
  }

  remove(listening: Subscription | SharedSubscription | LocalSubscription): void {
    this.#feeds.delete(listening)
  }

  #open(key: object, listener: SysListener, isRetained: boolean): SysFeed {
    const { fates, now } = this.#engine
    const feed = new SysFeed(listener, this.#values, fates.clients, now, isRetained)
    this.#feeds.set(key, feed)
    if (!this.#timer.isSet) this.#wait()
    return feed
  }

  #sendPresent(feed: SysFeed): void {
    feed.begin(this.#refresh([feed]))
    this.#runLater()
  }

  #sendPresentLater(feed: SysFeed): void {
    this.#engine.afterCommit(() => this.#sendPresent(feed))
  }

  #skipPresent(feed: SysFeed): void {
    feed.skipThrough(this.#refresh([feed]))
  }

  #wait(): void {
    this.#engine.timers.set(this.#timer, this.#engine.clock.now() + this.#intervalMs)
  }

  #tick(): void {
    const ready = [...this.#feeds.values()].filter(({ listener }) => listener.isReady)
    const period = this.#refresh(ready)
    for (const feed of ready) feed.begin(period)
    this.#runLater()
    if (this.#feeds.size > 0) this.#wait()
  }

  /** Has another look at what some listeners ask for, and ends the period. */
  #refresh(feeds: readonly SysFeed[]): number {
    const period = this.#engine.fates.clients.nextPeriod()
    for (const value of new Set(feeds.flatMap(({ values }) => values))) value.refresh(period)
    return period
  }

  #runLater(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#engine.defer(() => this.#run())
  }

  #run(): void {
    this.#isRunning = false
    let left = MESSAGES_PER_TURN
    for (const [key, feed] of this.#feeds) {
      left -= feed.run(left)
      if (left > 0) continue
      // The others come first the next time.
      if (this.#feeds.delete(key)) this.#feeds.set(key, feed)
      this.#runLater()
      return
    }
  }
}

class SessionListener implements SysListener {
  readonly matchFilter: string
  readonly #subscription: Subscription
  readonly #identifiers: readonly number[]

  constructor(subscription: Subscription) {
    this.matchFilter = subscription.matchFilter
    this.#subscription = subscription
    this.#identifiers = subscription.identifier === 0 ? [] : [subscription.identifier]
  }

  /** Messages that others publish have the other half of what may wait for a client to themselves. */
  get isReady(): boolean {
    return this.#subscription.session.sender?.isHalfFull === false
  }

  /** At QoS 0, whatever was granted; what is too large for the client counts as delivered ([5.0 MQTT-3.1.2-25]). */
  take(message: Message, isRetained: boolean): void {
    const { session, retainAsPublished } = this.#subscription
    session.sender?.sendNotice(message, isRetained || retainAsPublished, this.#identifiers)
  }
}

class GroupListener implements SysListener {
  readonly matchFilter: string
  readonly #group: SharedSubscription

  constructor(group: SharedSubscription, matchFilter: string) {
    this.#group = group
    this.matchFilter = matchFilter
  }

  get isReady(): boolean {
    return this.#group.idleMember !== undefined
  }

  take(message: Message): void {
    const member = this.#group.idleMember
    if (member !== undefined) new SessionListener(member).take(message, false)
  }
}

class ApplicationListener implements SysListener {
  readonly matchFilter: string
  readonly isReady = true
  readonly #local: LocalSubscription
  readonly #engine: Engine

  constructor(local: LocalSubscription, engine: Engine) {
    this.matchFilter = local.topicFilter
    this.#local = local
    this.#engine = engine
  }

  /** A listener that fails is the application's mistake. */
  take(message: Message): void {
    try {
      this.#local.deliver(message)
    } catch (error) {
      const { matchFilter: topicFilter } = this
      this.#engine.logger.error({ err: error, topicFilter, topicName: message.topicName }, 'a listener of the application failed')
    }
  }
}
