import type { Transport, TransportReceiver } from './transport.ts'

/** A receiver that keeps what it is told, and lets a test wait for it. */
export class Recorder implements TransportReceiver {
  readonly chunks: Uint8Array[] = []
  readonly closes: (Error | undefined)[] = []
  receivedBytes = 0
  drains = 0
  readonly #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = []

  static on(transport: Transport): Recorder {
    const recorder = new Recorder()
    transport.start(recorder)
    return recorder
  }

  onData(chunk: Uint8Array): void {
    this.chunks.push(new Uint8Array(chunk))
    this.receivedBytes += chunk.length
    this.#check()
  }

  onDrain(): void {
    this.drains++
    this.#check()
  }

  onClose(error: Error | undefined): void {
    this.closes.push(error)
    this.#check()
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** Resolves once the condition holds; it is looked at whenever something happens. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ condition, resolve })
      this.#check()
    })
  }

  async untilReceived(bytes: number): Promise<Buffer> {
    await this.until(() => this.receivedBytes >= bytes)
    return this.received
  }

  /** The error that closed it, or undefined. */
  async untilClosed(): Promise<Error | undefined> {
    await this.until(() => this.closes.length > 0)
    return this.closes[0]
  }

  #check(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.condition()) continue
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.resolve()
    }
  }
}

/** Lets the event loop turn: whatever is ready to happen has happened. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Bytes whose value tells their place in the stream. */
export function pattern(length: number, from = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let index = 0; index < length; index++) bytes[index] = ((from + index) * 31 + ((from + index) >>> 8)) & 0xff
  return bytes
}

/** Handles of connections and listeners that this process holds. */
export function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|Pipe|TLS/.test(name)).length
}

export async function untilHandles(count: number): Promise<void> {
  for (let turn = 0; turn < 2_000 && openHandles() !== count; turn++) await turns(1)
}
