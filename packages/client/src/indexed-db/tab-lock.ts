import { ClientError } from '../client-error.ts'
import type { Locks } from './web-storage.ts'

/** A page that is being reloaded may hold it a moment longer. */
const WAIT_MS = 500

/** Holds a name for one tab or worker at a time. The browser lets it go when the page does, whatever becomes of that. */
export class TabLock {
  readonly #release: () => void
  readonly #released: Promise<unknown>

  private constructor(release: () => void, released: Promise<unknown>) {
    this.#release = release
    this.#released = released
  }

  /** @throws {ClientError} if another has it */
  static take(locks: Locks, name: string, otherwise: string): Promise<TabLock> {
    return new Promise((resolve, reject) => {
      const released: Promise<unknown> = locks.request(
        name,
        { signal: AbortSignal.timeout(WAIT_MS) },
        () => new Promise((release) => resolve(new TabLock(release, released)))
      )
      released.catch((cause: unknown) => reject(new ClientError('outbox-failed', otherwise, { cause })))
    })
  }

  async release(): Promise<void> {
    this.#release()
    await this.#released
  }
}
