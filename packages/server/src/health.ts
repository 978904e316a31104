import { packageVersion } from './version.ts'

export interface HealthReport {
  readonly status: 'ok' | 'stopping'
  readonly version: string
  /** Seconds since the server started, whole. */
  readonly uptimeSeconds: number
}

/** What the server says of itself to whoever watches it. */
export class Health {
  readonly version: string = packageVersion()
  readonly #startedAtMs = performance.now()
  #isStopping = false

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** From now on the server is alive, but not ready. */
  stop(): void {
    this.#isStopping = true
  }

  report(): HealthReport {
    const uptimeSeconds = Math.floor((performance.now() - this.#startedAtMs) / 1000)
    return { status: this.#isStopping ? 'stopping' : 'ok', version: this.version, uptimeSeconds }
  }
}
