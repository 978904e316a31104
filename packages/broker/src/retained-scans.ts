import type { RetainedMessage, RetainedPage } from '@godwit/storage'
import { Delivery } from './inflight.ts'
import { Message } from './message.ts'
import type { PacketSender } from './packet-sender.ts'
import { lowerQoS } from './quality-of-service.ts'
import { SubscriptionPages } from './subscription-pages.ts'
import type { Subscription } from './subscription.ts'

/** Retained messages asked of the store at a time. */
const PAGE_MESSAGES_MAX = 64
/** Pages read in one go, before other connections get their turn. */
const PAGES_PER_TURN_MAX = 16

/**
 * Sends a session the retained messages of its new subscriptions: read a page at a time, as fast as the client takes
 * them, so that `#` over a million topics holds no more than a page. The place is kept with the subscription.
 */
export class RetainedScans extends SubscriptionPages {
  /** Begins to send what a subscription matches; later messages reach it in the ordinary way, so they are left out. */
  begin(subscription: Subscription): void {
    subscription.retainedScan = { upTo: this.engine.store.lastSequence, after: undefined }
    this.subscriptions.add(subscription)
    this.#keepPlace(subscription)
  }

  /** Goes on for the subscription that replaces another: what still waits must not be lost ([5.0 MQTT-3.8.4-4]). */
  handOver(replaced: Subscription, subscription: Subscription): void {
    subscription.retainedScan = replaced.retainedScan
    if (this.subscriptions.delete(replaced)) this.subscriptions.add(subscription)
  }

  /** Goes on with a scan that a stored session had begun. */
  restore(subscription: Subscription): void {
    this.subscriptions.add(subscription)
  }

  end(subscription: Subscription): void {
    subscription.retainedScan = undefined
    this.subscriptions.delete(subscription)
  }

  /** Sends as much as the client takes. */
  run(sender: PacketSender): void {
    let pages = 0
    for (const subscription of this.subscriptions) {
      while (!this.isReading && subscription.retainedScan !== undefined && this.#hasRoomFor(subscription, sender)) {
        if (pages++ >= PAGES_PER_TURN_MAX) {
          this.engine.defer(() => this.session.pump())
          return
        }
        if (!this.#readPage(subscription, sender)) return
      }
    }
  }

  protected override goOn(): void {
    this.session.pump()
  }

  #hasRoomFor(subscription: Subscription, sender: PacketSender): boolean {
    return subscription.qos === 0 ? !sender.isCongested : this.session.canSend
  }

  /** False: it cannot be read. */
  #readPage(subscription: Subscription, sender: PacketSender): boolean {
    const limit = subscription.qos === 0 ? PAGE_MESSAGES_MAX : Math.min(PAGE_MESSAGES_MAX, this.session.inflight.room)
    return this.readPage(
      subscription,
      () => this.engine.store.readRetained(subscription.matchFilter, subscription.retainedScan?.after, limit),
      // It may have come for a connection that is no longer this session's.
      (page) => this.session.sender === sender && this.#sendPage(subscription, page, sender)
    )
  }

  /** Sends what of a page the client takes; the rest is read again. */
  #sendPage(subscription: Subscription, page: RetainedPage, sender: PacketSender): void {
    const scan = subscription.retainedScan
    if (scan === undefined) return
    const { upTo } = scan
    let { after } = scan
    for (const retained of page.messages) {
      if (!this.#hasRoomFor(subscription, sender)) {
        subscription.retainedScan = { upTo, after }
        this.#keepPlace(subscription)
        return
      }
      if (retained.sequence <= upTo) this.#send(subscription, retained)
      after = retained.message.topicName
    }
    if (page.next === undefined) this.end(subscription)
    else subscription.retainedScan = { upTo, after: page.next }
    this.#keepPlace(subscription)
  }

  #keepPlace(subscription: Subscription): void {
    if (this.session.isDurable) this.engine.store.putSubscription(this.session.clientId, subscription.toRecord())
  }

  #send(subscription: Subscription, retained: RetainedMessage): void {
    const message = Message.of(retained.message)
    if (message.isExpired(this.engine.clock.now())) {
      this.engine.store.deleteRetained(message.topicName)
      return
    }
    if (subscription.noLocal && message.publisherClientId === this.session.clientId) return
    const identifiers = subscription.identifier === 0 ? [] : [subscription.identifier]
    const qos = lowerQoS(message.qos, subscription.qos)
    // [5.0 MQTT-3.3.1-9] [3.1.1 MQTT-3.3.1-8]: RETAIN is set on what a new subscription brings
    if (qos === 0) this.session.sendAtMostOnce(message, true, identifiers)
    else this.session.send(new Delivery(message, qos, true, identifiers, 0, undefined))
  }
}
