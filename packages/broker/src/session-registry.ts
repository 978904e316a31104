import type { CommitNumber, StoredSession } from '@godwit/storage'
import type { Engine } from './engine.ts'
import type { Fate } from './fates.ts'
import { Message } from './message.ts'
import { isOwn, restoreInflight } from './restore-inflight.ts'
import { Session } from './session.ts'
import type { Timer } from './timers.ts'

/** Every session, by ClientID ([5.0 MQTT-3.1.3-2], [3.1.1 MQTT-3.1.3-2]), and the end of those whose time is up. */
export class SessionRegistry {
  readonly #engine: Engine
  readonly #sessions = new Map<string, Session>()
  /** By ClientID: sessions without a connection, until their Session Expiry Interval ends. */
  readonly #expiries = new Map<string, Timer>()
  /** The commit that the latest end of a durable session is part of. */
  #lastRemoval: CommitNumber = 0

  constructor(engine: Engine) {
    this.#engine = engine
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Whether the end of some durable session is not durable yet. */
  get isRemoving(): boolean {
    return !this.#engine.commits.isDurable(this.#lastRemoval)
  }

  get(clientId: string): Session | undefined {
    return this.#sessions.get(clientId)
  }

  values(): Iterable<Session> {
    return this.#sessions.values()
  }

  /** @param listener the name of the one by which the client connected */
  create(clientId: string, expiryIntervalSeconds: number, listener = ''): Session {
    const session = new Session(this.#engine, clientId, expiryIntervalSeconds)
    session.consumer?.cameBy(listener)
    this.#sessions.set(clientId, session)
    if (session.isDurable) this.#engine.store.putSession(session.toRecord())
    this.#engine.tell((events) => events.emit('sessionCreated', { clientId }))
    return session
  }

  /** A client goes on in its session: it does not expire while connected. */
  resume(session: Session, expiryIntervalSeconds: number, listener: string): void {
    this.#stopExpiry(session.clientId)
    session.consumer?.cameBy(listener)
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
    for (const group of [...session.groups, ...session.formerGroups]) group.memberLeft(session, 'ended')
    for (const topicFilter of [...session.subscriptions.keys()]) this.#engine.subscriptions.remove(session, topicFilter, fate)
    session.recordUndelivered(fate)
    if (session.isDurable) {
      this.#engine.store.deleteSession(session.clientId)
      this.#lastRemoval = this.#engine.store.gatheringCommit
    }
    this.#engine.tell((events) => events.emit('sessionEnded', { clientId: session.clientId }))
    this.#engine.wills.sessionEnded(session.clientId)
  }

  /** Puts back a session found in the store; its expiry counts the time that the broker was down. */
  restore(stored: StoredSession): void {
    const { clientId, sessionExpiryIntervalSeconds, disconnectedAtMs } = stored.session
    const session = new Session(this.#engine, clientId, sessionExpiryIntervalSeconds, true)
    this.#sessions.set(clientId, session)
    const { progress } = stored
    const own = progress.inflight.filter((record) => isOwn(record, progress)).map(({ sequence }) => sequence)
    session.consumer?.cameBy(stored.session.listener)
    session.consumer?.restore(progress, own)
    for (const { packetIdentifier, message } of stored.received) session.receive(packetIdentifier, Message.of(message))
    session.disconnectedAtMs = disconnectedAtMs === 0 ? this.#engine.clock.now() : disconnectedAtMs
    // On record, or a broker that crashes again and again would begin anew each time.
    if (disconnectedAtMs === 0) this.#engine.store.putSession(session.toRecord())
  }

  /** The time of the sessions that were put back runs, now that nothing is missing of what ends with them. */
  startExpiries(): void {
    for (const session of this.#sessions.values()) this.#startExpiry(session)
  }

  /** Puts back what a session had in flight, once its subscriptions are there to read it by. */
  async restoreInflight(stored: StoredSession): Promise<void> {
    const session = this.#sessions.get(stored.session.clientId)
    if (session !== undefined) await restoreInflight(this.#engine, session, stored)
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
