import type { QoS } from '@godwit/client'

/** What a publisher said that it had stored, and what a subscriber got of it. */
export class ClientLedger {
  readonly #stored = new Map<string, QoS>()
  readonly #received = new Map<string, number>()
  /** By publisher and QoS: the number of the message that came last for the first time. */
  readonly #last = new Map<string, readonly [life: number, number: number]>()
  readonly #failures: string[] = []

  get stored(): number {
    return this.#stored.size
  }

  get received(): number {
    return this.#received.size
  }

  stores(clientId: string, qos: QoS, payload: string): void {
    this.#stored.set(`${clientId} ${payload}`, qos)
  }

  receives(topic: string, payload: string, isDup: boolean): void {
    const [, clientId = '', qos = ''] = topic.split('/')
    const message = `${clientId} ${payload}`
    const times = (this.#received.get(message) ?? 0) + 1
    this.#received.set(message, times)
    if (times === 1) this.#checkOrder(`${clientId}/${qos}`, payload)
    else if (qos === '2') this.fails(`${message} of QoS 2 came ${times} times${isDup ? ', with DUP' : ''}`)
  }

  fails(failure: string): void {
    this.#failures.push(failure)
  }

  /** Stored, and never received. */
  get missing(): readonly string[] {
    return [...this.#stored]
      .filter(([message]) => !this.#received.has(message))
      .map(([message, qos]) => `${message} of QoS ${qos}`)
  }

  /** What went wrong; empty: everything that was stored has arrived. */
  get failures(): readonly string[] {
    return [...this.#failures, ...this.missing.map((message) => `${message} was stored and never received`)]
  }

  #checkOrder(stream: string, payload: string): void {
    const [life = 0, number = 0] = payload.split('.').map(Number)
    const [lastLife, lastNumber] = this.#last.get(stream) ?? [0, -1]
    if (life < lastLife || (life === lastLife && number <= lastNumber)) {
      this.fails(`${stream}: ${payload} came for the first time after ${lastLife}.${lastNumber}`)
    } else {
      this.#last.set(stream, [life, number])
    }
  }
}
