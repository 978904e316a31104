import { type Alarm, Alarms } from './alarms.ts'
import { packageVersion } from './version.ts'

/**
 * - `starting`: what the store holds is being restored, and clients cannot connect yet
 * - `degraded`: it runs, and alarms are raised
 */
export type HealthStatus = 'starting' | 'ok' | 'degraded' | 'stopping'

export interface HealthReport {
  readonly status: HealthStatus
  readonly version: string
  /** Seconds since the server began to start, whole. */
  readonly uptimeSeconds: number
  readonly alarms: readonly Alarm[]
}

/** What the server says of itself to whoever watches it. */
export class Health {
  readonly version: string = packageVersion()
  readonly alarms: Alarms = new Alarms()
  readonly #startedAtMs = performance.now()
  #phase: 'starting' | 'running' | 'stopping' = 'starting'

  /** Whether clients can connect. */
  get isRunning(): boolean {
    return this.#phase === 'running'
  }

  /** Whether clients are welcome: they can connect, and no alarm says that they are better sent elsewhere. */
  get isReady(): boolean {
    return this.isRunning && this.alarms.isServing
  }

  /** Clients can connect, and what the store held is theirs again. */
  run(): void {
    this.#phase = 'running'
  }

  /** From now on the server is alive, but not ready. */
  stop(): void {
    this.#phase = 'stopping'
  }

  get status(): HealthStatus {
    if (this.#phase !== 'running') return this.#phase
    return this.alarms.raised.length === 0 ? 'ok' : 'degraded'
  }

  report(): HealthReport {
    const uptimeSeconds = Math.floor((performance.now() - this.#startedAtMs) / 1000)
    return { status: this.status, version: this.version, uptimeSeconds, alarms: this.alarms.raised }
  }
}
