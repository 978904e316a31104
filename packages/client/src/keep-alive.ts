import type { Clock } from './clock.ts'

export interface KeepAliveOptions {
  readonly clock: Clock
  readonly keepAliveMs: number
  readonly pingTimeoutMs: number
  /** Sends PINGREQ. */
  readonly ping: () => void
  /** Nothing was heard for too long: the link is dead, whatever the operating system says of it. */
  readonly onTimeout: () => void
}

/**
 * Sends PINGREQ when nothing was sent for the keep alive interval ([5.0 MQTT-3.1.2-20]), and also when nothing was received for so long: a link
 * that only takes bytes may be dead. One timer, set anew only when it fires.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions
  #sentAtMs: number
  #receivedAtMs: number
  /** 0: no answer is awaited. */
  #pingedAtMs = 0
  #isPaused = false
  #cancel: (() => void) | undefined = undefined

  constructor(options: KeepAliveOptions) {
    this.#options = options
    this.#sentAtMs = options.clock.now()
    this.#receivedAtMs = this.#sentAtMs
    if (options.keepAliveMs > 0) this.#setTimer()
  }

  sent(): void {
    this.#sentAtMs = this.#options.clock.now()
  }

  received(): void {
    this.#receivedAtMs = this.#options.clock.now()
    this.#pingedAtMs = 0
  }

  /** We do not read at the moment: what is not heard says nothing about the link. */
  set isPaused(isPaused: boolean) {
    if (this.#isPaused && !isPaused) this.received()
    this.#isPaused = isPaused
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #setTimer(): void {
    const { clock, keepAliveMs, pingTimeoutMs } = this.#options
    const quietMs = Math.min(this.#sentAtMs, this.#receivedAtMs) + keepAliveMs
    const pingMs = Math.max(quietMs, clock.now() + 1)
    this.#cancel = clock.at(this.#pingedAtMs > 0 ? this.#pingedAtMs + pingTimeoutMs : pingMs, () => this.#check())
  }

  #check(): void {
    const { clock, keepAliveMs, pingTimeoutMs, ping, onTimeout } = this.#options
    const nowMs = clock.now()
    if (this.#isPaused) {
      if (nowMs - this.#sentAtMs >= keepAliveMs) ping()
      this.#receivedAtMs = nowMs
      this.#pingedAtMs = 0
    } else if (this.#pingedAtMs > 0 && nowMs - this.#pingedAtMs >= pingTimeoutMs) {
      this.stop()
      onTimeout()
      return
    } else if (this.#pingedAtMs === 0 && nowMs - Math.min(this.#sentAtMs, this.#receivedAtMs) >= keepAliveMs) {
      this.#pingedAtMs = nowMs
      ping()
    }
    this.#setTimer()
  }
}
