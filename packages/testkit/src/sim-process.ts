import type { Clock } from '@godwit/broker'
import type { Transport, TransportReceiver } from '@godwit/transport'

/** What ties a program to the world around it, and is cut when its process dies. */
export class SimProcess {
  #isAlive = true
  readonly #transports = new Set<Transport>()

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      at: (timeMs, callback) => clock.at(timeMs, () => this.#isAlive && callback()),
      defer: (callback) => clock.defer(() => this.#isAlive && callback())
    }
  }

  transport(transport: Transport): Transport {
    this.#transports.add(transport)
    return new ProcessTransport(transport, () => this.#isAlive)
  }

  dies(): void {
    this.#isAlive = false
    for (const transport of this.#transports) transport.destroy()
  }
}

/** The program's end of a connection, deaf once its process has died. */
class ProcessTransport implements Transport {
  readonly #transport: Transport
  readonly #isAlive: () => boolean

  constructor(transport: Transport, isAlive: () => boolean) {
    this.#transport = transport
    this.#isAlive = isAlive
  }

  get kind(): Transport['kind'] {
    return this.#transport.kind
  }

  get peer(): Transport['peer'] {
    return this.#transport.peer
  }

  get bufferedBytes(): number {
    return this.#transport.bufferedBytes
  }

  start(receiver: TransportReceiver): void {
    this.#transport.start({
      onData: (chunk) => this.#isAlive() && receiver.onData(chunk),
      onDrain: () => this.#isAlive() && receiver.onDrain(),
      onClose: (error) => this.#isAlive() && receiver.onClose(error)
    })
  }

  write(bytes: Uint8Array): boolean {
    return this.#transport.write(bytes)
  }

  cork(): void {
    this.#transport.cork()
  }

  uncork(): void {
    this.#transport.uncork()
  }

  pause(): void {
    this.#transport.pause()
  }

  resume(): void {
    this.#transport.resume()
  }

  end(): void {
    this.#transport.end()
  }

  destroy(): void {
    this.#transport.destroy()
  }
}
