import { type Packet, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, subscribe } from '@godwit/testkit'
import { Link } from '../../crash/link.ts'
import { withinLimit } from '../../interop/mailbox.ts'

/** Clients that connect, or SUBSCRIBE packets that wait for their SUBACK, at a time. */
const CONCURRENCY = 100
const SUBSCRIPTIONS_PER_PACKET = 100

/** Clients that connect, subscribe, and stay. */
export class Clients {
  readonly #port: number
  readonly #links: Link[] = []
  readonly #waiting = new Map<Link, (packet: Packet) => void>()
  readonly #receive: (packet: Packet, link: Link) => void

  /** @param receive called with each packet that is not awaited here */
  constructor(port: number, receive: (packet: Packet, link: Link) => void = () => {}) {
    this.#port = port
    this.#receive = receive
  }

  /** Connects so many more. */
  async connect(count: number): Promise<readonly Link[]> {
    const first = this.#links.length
    await concurrently(count, async (index) => {
      const { promise, resolve, reject } = Promise.withResolvers<Packet>()
      const clientId = `client-${first + index}`
      const link = new Link(this.#port, connect({ version: ProtocolVersion.Mqtt311, clientId }), {
        onPacket: (packet, from) => this.#onPacket(packet, from),
        onClosed: () => reject(new Error(`the broker closed the connection of ${clientId}`))
      })
      this.#waiting.set(link, resolve)
      this.#links.push(link)
      await withinLimit(promise, `CONNACK for ${clientId}`, 60_000)
    })
    return this.#links.slice(first)
  }

  /** Subscribes one of them to topic filters. */
  async subscribe(link: Link, topicFilters: readonly string[]): Promise<void> {
    for (let from = 0; from < topicFilters.length; from += SUBSCRIPTIONS_PER_PACKET) {
      const { promise, resolve } = Promise.withResolvers<Packet>()
      this.#waiting.set(link, resolve)
      link.send(subscribe(1, topicFilters.slice(from, from + SUBSCRIPTIONS_PER_PACKET)))
      const { type } = await withinLimit(promise, 'SUBACK', 60_000)
      if (type !== PacketType.Suback) throw new Error(`packet type ${type} in place of SUBACK`)
    }
  }

  /** Ends all connections. */
  cut(): void {
    for (const link of this.#links) link.cut()
  }

  #onPacket(packet: Packet, link: Link): void {
    const awaited = this.#waiting.get(link)
    if (awaited === undefined) {
      this.#receive(packet, link)
      return
    }
    this.#waiting.delete(link)
    awaited(packet)
  }
}

/** Does something so many times, with a bound on how much of it goes on at a time. */
export async function concurrently(count: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const workers = Array.from({ length: Math.min(CONCURRENCY, count) }, async () => {
    while (next < count) await act(next++)
  })
  await Promise.all(workers)
}
