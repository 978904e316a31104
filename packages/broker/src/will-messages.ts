import type { WillRecord } from '@godwit/storage'
import type { Engine } from './engine.ts'
import { Message } from './message.ts'
import type { Timer } from './timers.ts'

interface PendingWill {
  readonly record: WillRecord
  readonly timer: Timer
}

/**
 * Will Messages: kept from CONNECT on, published when the connection ends without a DISCONNECT 0x00, after the Will
 * Delay Interval or at the end of the session, whichever is first ([5.0 MQTT-3.1.2-8], [3.1.1 MQTT-3.1.2-8]).
 */
export class WillMessages {
  readonly #engine: Engine
  /** By ClientID: the wills of open connections. */
  readonly #armed = new Map<string, WillRecord>()
  /** By ClientID: those whose connection has ended, while their delay runs. */
  readonly #pending = new Map<string, PendingWill>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Keeps the will of a connection that is being accepted. */
  arm(clientId: string, message: Message, delayIntervalSeconds: number): void {
    // One that still waits belongs to a session that is gone; in the store there is room for one.
    this.#due(clientId)
    const record = { clientId, message, delayIntervalSeconds, dueSinceMs: 0 }
    this.#armed.set(clientId, record)
    this.#engine.store.putWill(record)
  }

  /** DISCONNECT 0x00: the will is thrown away unpublished ([5.0 MQTT-3.14.4-3], [3.1.1 MQTT-3.14.4-3]). */
  discard(clientId: string): void {
    if (this.#armed.delete(clientId)) this.#engine.store.deleteWill(clientId)
  }

  /** The connection has ended in another way: the will is due, now or after its delay. */
  connectionEnded(clientId: string, sessionExpiryIntervalSeconds: number): void {
    const armed = this.#armed.get(clientId)
    if (armed === undefined) return
    this.#armed.delete(clientId)
    const delaySeconds = Math.min(armed.delayIntervalSeconds, sessionExpiryIntervalSeconds)
    if (delaySeconds === 0) {
      this.#publish(armed)
      return
    }
    const record = { ...armed, dueSinceMs: this.#engine.clock.now() }
    this.#engine.store.putWill(record)
    this.#wait(record)
  }

  /** The client is back in its session: a will whose delay has not run out is not published ([5.0 MQTT-3.1.3-9]). */
  sessionResumed(clientId: string): void {
    const pending = this.#pending.get(clientId)
    if (pending === undefined) return
    // Timers are coarse, and after a crash a will without a delay waits for one as well.
    if (dueAtMs(pending.record) <= this.#engine.clock.now()) {
      this.#due(clientId)
      return
    }
    this.#stopWaiting(pending)
    this.#engine.store.deleteWill(clientId)
  }

  /** The session ends: a will that still waits is published. */
  sessionEnded(clientId: string): void {
    this.#due(clientId)
  }

  /** A will found in the store, after the sessions: its broker crashed or stopped before it was due. */
  restore(record: WillRecord): void {
    const { clock, sessions, store } = this.#engine
    const dueSinceMs = record.dueSinceMs === 0 ? clock.now() : record.dueSinceMs
    // A session that was not stored ended with its connection, and so did the delay.
    const delayIntervalSeconds = sessions.get(record.clientId) === undefined ? 0 : record.delayIntervalSeconds
    const waiting = { ...record, dueSinceMs, delayIntervalSeconds }
    // The delay runs from here on, however often the broker is started again meanwhile.
    if (record.dueSinceMs === 0 && delayIntervalSeconds > 0) store.putWill(waiting)
    this.#wait(waiting)
  }

  #wait(record: WillRecord): void {
    const timer = this.#engine.timers.create(() => this.#due(record.clientId))
    this.#pending.set(record.clientId, { record, timer })
    this.#engine.timers.set(timer, dueAtMs(record))
  }

  #due(clientId: string): void {
    const pending = this.#pending.get(clientId)
    if (pending === undefined) return
    this.#stopWaiting(pending)
    this.#publish(pending.record)
  }

  #stopWaiting(pending: PendingWill): void {
    this.#engine.timers.clear(pending.timer)
    this.#pending.delete(pending.record.clientId)
  }

  #publish(record: WillRecord): void {
    // [5.0 MQTT-3.1.2-10] [3.1.1 MQTT-3.1.2-10]
    this.#engine.store.deleteWill(record.clientId)
    const { router, fates, clock } = this.#engine
    const message = Message.of(record.message).published(clock.now())
    const refusal = router.noRoomFor(message)
    if (refusal === undefined) router.publish(message)
    else fates.record(refusal.fate, message, record.clientId, refusal.reason)
  }
}

function dueAtMs({ dueSinceMs, delayIntervalSeconds }: WillRecord): number {
  return dueSinceMs + delayIntervalSeconds * 1000
}
