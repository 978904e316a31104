import type { ClientEventListener, ClientEventName, ClientEvents } from './events.ts'

type Listeners = { [Name in ClientEventName]?: Set<ClientEventListener<Name>> }

/** The listeners of one client. One that throws disturbs neither the others nor the client: its error goes to the host, as of any event. */
export class Emitter {
  #listeners: Listeners = {}
  /** What takes listeners away from the signals that end them. */
  readonly #offs = new Set<() => void>()

  /** Returns what takes the listener away. A listener that is added twice is called once. */
  on<Name extends ClientEventName>(name: Name, listener: ClientEventListener<Name>, signal?: AbortSignal): () => void {
    if (signal?.aborted === true) return () => undefined
    const listeners: Set<ClientEventListener<Name>> = this.#listeners[name] ?? new Set()
    Object.assign(this.#listeners, { [name]: listeners.add(listener) })
    const off = (): void => {
      listeners.delete(listener)
      signal?.removeEventListener('abort', off)
      this.#offs.delete(off)
    }
    if (signal !== undefined) {
      signal.addEventListener('abort', off, { once: true })
      this.#offs.add(off)
    }
    return off
  }

  /** Whether anyone would be told: what is costly to describe need not be. */
  has(name: ClientEventName): boolean {
    const listeners = this.#listeners[name]
    return listeners !== undefined && listeners.size > 0
  }

  emit<Name extends ClientEventName>(name: Name, event: ClientEvents[Name]): void {
    const listeners: ReadonlySet<ClientEventListener<Name>> | undefined = this.#listeners[name]
    if (listeners === undefined) return
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  clear(): void {
    this.#listeners = {}
    for (const off of this.#offs) off()
  }
}
