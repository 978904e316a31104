import type { InflightRecord, ProgressRecord, StoredSession } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { Delivery } from './inflight.ts'
import { Message } from './message.ts'
import { Session } from './session.ts'
import type { Timer } from './timers.ts'

/** Every session, by ClientID ([5.0 MQTT-3.1.3-2], [3.1.1 MQTT-3.1.3-2]), and the end of those whose time is up. */
export class SessionRegistry {
  readonly #engine: Engine
  readonly #sessions = new Map<string, Session>()
  /** By ClientID: sessions without a connection, until their Session Expiry Interval ends. */
  readonly #expiries = new Map<string, Timer>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get size(): number {
    return this.#sessions.size
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  values(): Iterable<Session> {
    return this.#sessions.values()
  }

  create(clientId: string, expiryIntervalSeconds: number): Session {
    const session = new Session(this.#engine, clientId, expiryIntervalSeconds)
    this.#sessions.set(clientId, session)
    if (session.isDurable) this.#engine.store.putSession(session.toRecord())
    this.#engine.tell((events) => events.emit('sessionCreated', { clientId }))
    return session
  }

  /** A client goes on in its session: it does not expire while connected. */
  resume(session: Session, expiryIntervalSeconds: number): void {
    this.#stopExpiry(session.clientId)
    session.expiryIntervalSeconds = expiryIntervalSeconds
    session.disconnectedAtMs = 0
    this.#engine.store.putSession(session.toRecord())
    this.#engine.wills.sessionResumed(session.clientId)
  }

  /** The session's connection is gone: it ends now, or when its interval has passed ([5.0 MQTT-4.1.0-2]). */
  connectionClosed(session: Session): void {
    session.detach()
    this.#engine.wills.connectionEnded(session.clientId, session.expiryIntervalSeconds)
    if (session.expiryIntervalSeconds === 0) {
      this.end(session, 'session-ended')
      return
    }
    session.disconnectedAtMs = this.#engine.clock.now()
    this.#engine.store.putSession(session.toRecord())
    session.touch()
    this.#startExpiry(session)
  }

  /** Ends a session: what it had not delivered, and its subscriptions, go with it. */
  end(session: Session, fate: Fate): void {
    this.#stopExpiry(session.clientId)
    this.#sessions.delete(session.clientId)
    for (const group of session.groups) group.memberLeft(session, 'ended')
    for (const topicFilter of [...session.subscriptions.keys()]) this.#engine.subscriptions.remove(session, topicFilter, fate)
    session.recordUndelivered(fate)
    if (session.isDurable) this.#engine.store.deleteSession(session.clientId)
    this.#engine.tell((events) => events.emit('sessionEnded', { clientId: session.clientId }))
    this.#engine.wills.sessionEnded(session.clientId)
  }

  /** Puts back a session found in the store; its expiry counts the time that the broker was down. */
  restore(stored: StoredSession): void {
    const { clientId, sessionExpiryIntervalSeconds, disconnectedAtMs } = stored.session
    const session = new Session(this.#engine, clientId, sessionExpiryIntervalSeconds)
    this.#sessions.set(clientId, session)
    const { progress } = stored
    const own = progress.inflight.filter((record) => isOwn(record, progress)).map(({ sequence }) => sequence)
    session.consumer?.restore(progress, own)
    for (const { packetIdentifier, message } of stored.received) session.receive(packetIdentifier, Message.of(message))
    session.disconnectedAtMs = disconnectedAtMs === 0 ? this.#engine.clock.now() : disconnectedAtMs
    this.#startExpiry(session)
  }

  /** Puts back what a session had in flight, once its subscriptions are there to read it by. */
  async restoreInflight(stored: StoredSession): Promise<void> {
    const session = this.#sessions.get(stored.session.clientId)
    if (session === undefined) return
    for (const record of stored.progress.inflight) {
      const message = record.message ?? (await this.#readBack(session, record.sequence))
      if (message === undefined) {
        this.#engine.fates.recordMany('store-failed', 1, '', session.clientId)
        session.finish(record.sequence)
        continue
      }
      const own = isOwn(record, stored.progress) ? session : undefined
      const source = record.group === undefined ? own : this.#groupOf(session, record.group)
      const { qos, retain, subscriptionIdentifiers, sequence } = record
      const delivery = new Delivery(Message.of(message), qos, retain, subscriptionIdentifiers, sequence, source)
      session.inflight.restore(delivery, record.packetIdentifier)
    }
    for (const packetIdentifier of stored.progress.released) session.inflight.restoreReleased(packetIdentifier)
  }

  async #readBack(session: Session, sequence: number): Promise<Delivery['message'] | undefined> {
    const positions = session.consumer?.positions().map(({ queue }) => ({ queue, after: sequence - 1 })) ?? []
    const [entry] = await this.#engine.store.read(positions, 1)
    return entry?.sequence === sequence ? Message.of(entry.message) : undefined
  }

  #groupOf(session: Session, filter: string) {
    return [...session.groups].find((group) => group.filter === filter)
  }

  #startExpiry(session: Session): void {
    const timer = this.#engine.timers.create(() => this.#expire(session, timer))
    this.#expiries.set(session.clientId, timer)
    this.#engine.timers.set(timer, session.disconnectedAtMs + session.expiryIntervalSeconds * 1000)
  }

  #expire(session: Session, timer: Timer): void {
    if (this.#expiries.get(session.clientId) === timer) this.end(session, 'session-ended')
  }

  #stopExpiry(clientId: string): void {
    const timer = this.#expiries.get(clientId)
    if (timer === undefined) return
    this.#engine.timers.clear(timer)
    this.#expiries.delete(clientId)
  }
}

/** Whether a message in flight came by the session's log: a retained one, or one of a group, does not hold the cursor back. */
function isOwn({ group, sequence }: InflightRecord, { cursor }: ProgressRecord): boolean {
  return group === undefined && sequence > cursor
}
