/**
 * What the broker itself costs per message, in nanoseconds of CPU time: a whole broker with clients that take no system
 * call and no event loop, so that what the figures show is what the code does. The least of many rounds is the figure
 * that other work on the machine disturbs least.
 *
 *     node --conditions=godwit-source bench/micro/hot-path.ts [scenario...]
 */
import { createBroker } from '../../packages/broker/src/index.ts'
import { encodePacket, NO_PROPERTIES, PacketType, ProtocolVersion, type QoS } from '../../packages/protocol/src/index.ts'
import type { Transport, TransportReceiver } from '../../packages/transport/src/index.ts'

const ROUNDS = 40
const ROUND_MESSAGES = 40_000
const PAYLOAD_BYTES = 64

interface Scenario {
  readonly name: string
  readonly publishers: number
  /** `own`: each publisher has a subscriber of its own; otherwise so many, which all take everything. */
  readonly subscribers: 'own' | number
  readonly qos: QoS
  /** Messages in a chunk that is received. */
  readonly batch: number
  readonly version?: ProtocolVersion
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'p2p-q0', publishers: 50, subscribers: 'own', qos: 0, batch: 20 },
  { name: 'p2p-q1', publishers: 50, subscribers: 'own', qos: 1, batch: 20 },
  { name: 'p2p-q2', publishers: 50, subscribers: 'own', qos: 2, batch: 20 },
  { name: 'p2p-q0-v5', publishers: 50, subscribers: 'own', qos: 0, batch: 20, version: ProtocolVersion.Mqtt5 },
  { name: 'p2p-q1-v5', publishers: 50, subscribers: 'own', qos: 1, batch: 20, version: ProtocolVersion.Mqtt5 },
  { name: 'fanout-q0', publishers: 1, subscribers: 1000, qos: 0, batch: 8 },
  { name: 'fanout-q1', publishers: 1, subscribers: 1000, qos: 1, batch: 8 },
  { name: 'fanin-q0', publishers: 1000, subscribers: 1, qos: 0, batch: 3 },
  { name: 'fanin-q1', publishers: 1000, subscribers: 1, qos: 1, batch: 3 },
  { name: 'rate', publishers: 500, subscribers: 'own', qos: 0, batch: 1 }
]

/** Time stands still, and a turn of the event loop ends when it is told to. */
class TurnClock {
  #deferred: (() => void)[] = []

  now(): number {
    return 1_000_000
  }

  at(): () => void {
    return () => {}
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** @returns whether there was anything to do */
  endTurn(): boolean {
    const deferred = this.#deferred
    if (deferred.length === 0) return false
    this.#deferred = []
    for (const callback of deferred) callback()
    return true
  }
}

/** A client that answers each packet as it must, in the next turn. */
class Client implements Transport {
  readonly kind = 'memory'
  readonly peer = { address: '', port: 0, certificate: undefined }
  readonly bufferedBytes = 0
  deliveries = 0
  readonly #answers = new Uint8Array(4 * 65_536)
  #answersLength = 0
  #receiver: TransportReceiver | undefined

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver
  }

  send(bytes: Uint8Array): void {
    this.#receiver?.onData(bytes)
  }

  write(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      const type = (bytes[at] ?? 0) >> 4
      const length = bytes[at + 1] ?? 0
      if (length > 127) throw new Error('packets of this bench have short lengths')
      if (type === PacketType.Publish) {
        this.deliveries++
        const qos = ((bytes[at] ?? 0) >> 1) & 3
        if (qos > 0) {
          const identifierAt = at + 4 + (bytes[at + 3] ?? 0)
          this.#answer(qos === 1 ? PacketType.Puback : PacketType.Pubrec, bytes, identifierAt)
        }
      } else if (type === PacketType.Pubrec) this.#answer(PacketType.Pubrel, bytes, at + 2)
      else if (type === PacketType.Pubrel) this.#answer(PacketType.Pubcomp, bytes, at + 2)
      at += 2 + length
    }
    return true
  }

  /** Sends what it has to answer; false: nothing. */
  answer(): boolean {
    if (this.#answersLength === 0) return false
    const bytes = this.#answers.slice(0, this.#answersLength)
    this.#answersLength = 0
    this.send(bytes)
    return true
  }

  #answer(type: number, bytes: Uint8Array, identifierAt: number): void {
    const at = this.#answersLength
    this.#answers[at] = (type << 4) | (type === PacketType.Pubrel ? 2 : 0)
    this.#answers[at + 1] = 2
    this.#answers[at + 2] = bytes[identifierAt] ?? 0
    this.#answers[at + 3] = bytes[identifierAt + 1] ?? 0
    this.#answersLength = at + 4
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

function publishes(topicName: string, { qos, batch, version = ProtocolVersion.Mqtt311 }: Scenario): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES)
  const packets = Array.from({ length: batch }, (_, index) =>
    encodePacket(
      {
        type: PacketType.Publish,
        topicName,
        payload,
        qos,
        retain: false,
        dup: false,
        packetIdentifier: qos === 0 ? 0 : index + 1,
        properties: NO_PROPERTIES
      },
      version
    )
  )
  return new Uint8Array(Buffer.concat(packets))
}

async function measure(scenario: Scenario): Promise<number[]> {
  const { publishers, subscribers, qos, batch, version = ProtocolVersion.Mqtt311 } = scenario
  const clock = new TurnClock()
  const broker = await createBroker({ clock, limits: { sessionsMax: 10_000 } })
  const connect = (clientId: string): Client => {
    const client = new Client()
    broker.attach(client)
    client.send(
      encodePacket(
        {
          type: PacketType.Connect,
          protocolVersion: version,
          clientId,
          cleanStart: true,
          keepAliveSeconds: 0,
          will: undefined,
          userName: undefined,
          password: undefined,
          properties: NO_PROPERTIES
        },
        version
      )
    )
    return client
  }
  const receivers = Array.from({ length: subscribers === 'own' ? publishers : subscribers }, (_, index) => {
    const client = connect(`subscriber-${index}`)
    const topicFilter = subscribers === 'own' ? `p2p/${index}` : subscribers === 1 ? 'p2p/+' : 'p2p/0'
    const subscription = { topicFilter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 as const }
    client.send(
      encodePacket(
        { type: PacketType.Subscribe, packetIdentifier: 1, subscriptions: [subscription], properties: NO_PROPERTIES },
        version
      )
    )
    return client
  })
  const senders = Array.from({ length: publishers }, (_, index) => connect(`publisher-${index}`))
  const chunks = senders.map((_, index) => publishes(`p2p/${index}`, scenario))
  while (clock.endTurn()) await Promise.resolve()
  const clients = [...receivers, ...senders]
  const deliveriesEach = subscribers === 'own' ? 1 : subscribers
  const turns = Math.ceil(ROUND_MESSAGES / (publishers * batch * deliveriesEach))
  const figures: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const receiver of receivers) receiver.deliveries = 0
    const before = process.cpuUsage()
    for (let turn = 0; turn < turns; turn++) {
      for (const [index, sender] of senders.entries()) sender.send(chunks[index] ?? new Uint8Array(0))
      for (let isBusy = true; isBusy;) {
        isBusy = clock.endTurn()
        if (qos > 0) for (const client of clients) if (client.answer()) isBusy = true
      }
    }
    const { user, system } = process.cpuUsage(before)
    const deliveries = receivers.reduce((sum, receiver) => sum + receiver.deliveries, 0)
    if (deliveries !== turns * publishers * batch * deliveriesEach) throw new Error(`${scenario.name}: ${deliveries} deliveries`)
    figures.push(((user + system) * 1000) / deliveries)
  }
  return figures.toSorted((one, other) => one - other)
}

const chosen = process.argv.slice(2)
for (const scenario of SCENARIOS) {
  if (chosen.length > 0 && !chosen.includes(scenario.name)) continue
  const figures = await measure(scenario)
  const [least = 0] = figures
  const median = figures[Math.floor(figures.length / 2)] ?? 0
  process.stdout.write(
    `${scenario.name.padEnd(10)} least ${least.toFixed(0).padStart(6)} ns, median ${median.toFixed(0).padStart(6)} ns\n`
  )
}
process.exit(0)
