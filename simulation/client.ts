import {
  type ConnackPacket,
  encodePacket,
  type Packet,
  PacketDecoder,
  PacketType,
  PINGREQ,
  ProtocolVersion,
  type PublishPacket,
  topicMatches
} from '@godwit/protocol'
import { disconnect, puback, pubcomp, publish, pubrec, pubrel, subscribe, unsubscribe } from '@godwit/testkit'
import type { MemoryTransport } from '@godwit/transport'
import { type Answer, type Answering, Answers } from './answers.ts'
import { describePacket } from './describe-packet.ts'
import { Exchanges, type Outgoing } from './exchanges.ts'
import type { Model } from './model.ts'
import type { Attempt, ConnectRequest, Farewell } from './model-client.ts'
import type { ModelSession } from './model-session.ts'
import type { PublishedMessage } from './published-message.ts'
import type { Subscribing } from './replay-model.ts'
import { ServerDuties } from './server-duties.ts'
import type { Trace } from './trace.ts'
import { Violation } from './violation.ts'

/** What a client says when it connects. */
export interface Greeting extends ConnectRequest {
  readonly keepAliveSeconds: number
  /** undefined: not told. */
  readonly receiveMaximum: number | undefined
}

/** One network connection of a client. */
interface Connection {
  readonly transport: MemoryTransport
  readonly attempt: Attempt
  /** Undefined before CONNACK. */
  session: ModelSession | undefined
  readonly duties: ServerDuties
}

/** A correct client, as fast as it can be: what it does is checked as it does it, and told to the model. */
export class SimClient {
  readonly clientId: string
  readonly version: ProtocolVersion
  answering: Answering = 'prompt'
  /** How many PUBLISH and PUBREL packets it has got. */
  deliveries = 0
  readonly #model: Model
  readonly #trace: Trace
  readonly #exchanges: Exchanges
  readonly #answers: Answers
  #connection: Connection | undefined = undefined

  constructor(clientId: string, version: ProtocolVersion, model: Model, trace: Trace, random: () => number) {
    this.clientId = clientId
    this.version = version
    this.#model = model
    this.#trace = trace
    this.#answers = new Answers(random)
    this.#exchanges = new Exchanges(clientId, () => model.crashedAt.length)
  }

  get isMqtt5(): boolean {
    return this.version === ProtocolVersion.Mqtt5
  }

  get isConnected(): boolean {
    return this.#connection !== undefined
  }

  get isAccepted(): boolean {
    return this.#connection?.session !== undefined
  }

  /** How many messages it has sent whose exchanges are not finished. */
  get unfinished(): number {
    return this.#exchanges.outgoing.size
  }

  /** Sends CONNECT on a new network connection; one that it has is forgotten, and still open. */
  connects(transport: MemoryTransport, greeting: Greeting): void {
    // Its CONNECT must not arrive behind the next one, and take over from it.
    if (this.#connection !== undefined && !this.isAccepted) this.#connection.transport.destroy()
    this.#forget()
    const attempt = this.#model.connecting(this.clientId, greeting)
    const connection: Connection = {
      transport,
      attempt,
      session: undefined,
      duties: new ServerDuties(this.clientId, greeting.receiveMaximum ?? 0xffff)
    }
    this.#connection = connection
    const decoder = new PacketDecoder({ receiver: 'client', maximumPacketSize: Infinity, protocolVersion: this.version })
    transport.start({
      onData: (chunk) => {
        if (this.#connection !== connection) return
        decoder.push(new Uint8Array(chunk))
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
          this.#trace.add(() => `${this.clientId} ◁ ${describePacket(packet)}`)
          this.#handle(connection, packet)
        }
      },
      onDrain() {},
      onClose: () => {
        if (this.#connection !== connection) return
        this.#trace.add(() => `${this.clientId} sees its connection closed`)
        this.#model.connectionOver(this.clientId)
        this.#forget()
      }
    })
    this.#sendConnect(greeting)
  }

  #sendConnect({ cleanStart, expirySeconds, will, keepAliveSeconds, receiveMaximum }: Greeting): void {
    const expiry = expirySeconds === Infinity ? 0xffff_ffff : expirySeconds
    const content = will?.message.content
    this.#write({
      type: PacketType.Connect,
      protocolVersion: this.version,
      cleanStart,
      keepAliveSeconds,
      clientId: this.clientId,
      will:
        content === undefined
          ? undefined
          : {
              topicName: content.topicName,
              payload: Buffer.from(content.id),
              qos: content.qos,
              retain: content.retain,
              properties: this.isMqtt5 ? { willDelayInterval: will?.delaySeconds } : {}
            },
      userName: undefined,
      password: undefined,
      properties: this.isMqtt5 ? { sessionExpiryInterval: expiry, receiveMaximum } : {}
    })
  }

  publishes(message: PublishedMessage): void {
    const { qos } = message.content
    if (qos === 0) this.#sendPublish(message, 0, false)
    else {
      const packetIdentifier = this.#freeIdentifier()
      const outgoing: Outgoing = { packetIdentifier, message, isReceived: false }
      this.#exchanges.outgoing.set(packetIdentifier, outgoing)
      this.#sendPublish(message, packetIdentifier, false)
    }
  }

  subscribes(requests: readonly Subscribing[], identifier: number): void {
    const connection = this.#connection
    if (connection?.session === undefined) return
    const packetIdentifier = this.#freeIdentifier()
    const asked = this.#model.subscribing(connection.session, requests, identifier)
    connection.duties.subscribes(packetIdentifier, { asked, requests })
    this.#write(
      subscribe(
        packetIdentifier,
        requests.map(({ replayed, topicFilter, ...options }) => [replayFilter(topicFilter, replayed), options] as const),
        identifier > 0 ? { subscriptionIdentifier: identifier } : {}
      )
    )
  }

  unsubscribes(topicFilters: readonly string[]): void {
    const connection = this.#connection
    if (connection?.session === undefined) return
    const packetIdentifier = this.#freeIdentifier()
    connection.duties.unsubscribes(packetIdentifier, this.#model.unsubscribing(connection.session, topicFilters))
    this.#write(unsubscribe(packetIdentifier, topicFilters))
  }

  pings(): void {
    const connection = this.#connection
    if (connection?.session === undefined) return
    connection.duties.pings()
    this.#write(PINGREQ)
  }

  /** Sends some of the answers that wait. */
  answersSome(count: number): void {
    for (let left = count; left > 0; left--) {
      const answer = this.#answers.take(this.answering)
      if (answer === undefined) return
      this.#sendAnswer(answer)
    }
  }

  /** Says DISCONNECT and closes. */
  disconnects(farewell: Farewell): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { discardsWill, expirySeconds } = farewell
    const sessionExpiryInterval = expirySeconds === Infinity ? 0xffff_ffff : expirySeconds
    this.#write(disconnect(discardsWill ? 0x00 : 0x04, this.isMqtt5 ? { sessionExpiryInterval } : {}))
    connection.transport.end()
    this.#model.connectionOver(this.clientId, farewell)
    this.#forget()
  }

  /**
   * Loses its connection. What it wrote may still arrive, or not; of a `cut` the broker does not hear.
   *
   * @param isNoticed whether the broker is told
   */
  loses(how: 'end' | 'destroy' | 'cut', isNoticed: boolean = how !== 'cut'): void {
    const connection = this.#connection
    if (connection === undefined) return
    this.#trace.add(() => `${this.clientId} loses its connection (${how})`)
    // As above: a CONNECT that has not been answered goes with its connection.
    connection.transport[this.isAccepted ? how : 'destroy']()
    this.#model.connectionOver(this.clientId, undefined, isNoticed || !this.isAccepted ? 'at once' : 'later')
    this.#forget()
  }

  /** The broker has gone, and every connection with it. */
  losesBroker(): void {
    this.#forget()
  }

  #forget(): void {
    this.#connection = undefined
    this.#answers.forget()
  }

  #freeIdentifier(): number {
    return this.#exchanges.freeIdentifier((identifier) => this.#connection?.duties.uses(identifier) === true)
  }

  #handle(connection: Connection, packet: Packet): void {
    if (packet.type === PacketType.Connack) {
      this.#connected(connection, packet)
      return
    }
    if (packet.type === PacketType.Disconnect) return
    const { session, duties } = connection
    if (session === undefined) throw new Violation(`${this.clientId} got ${describePacket(packet)} before CONNACK`)
    switch (packet.type) {
      case PacketType.Publish:
        this.deliveries++
        this.#take(session, duties, packet)
        break
      case PacketType.Pubrel:
        this.deliveries++
        this.#exchanges.released(packet.packetIdentifier)
        this.#answer({ type: PacketType.Pubcomp, packetIdentifier: packet.packetIdentifier })
        break
      case PacketType.Puback:
        duties.answers('PUBACK', packet.packetIdentifier)
        this.#finish(packet.packetIdentifier, packet.reasonCode >= 0x80)
        break
      case PacketType.Pubrec:
        duties.answers('PUBREC', packet.packetIdentifier)
        this.#received(packet.packetIdentifier, packet.reasonCode >= 0x80)
        break
      case PacketType.Pubcomp:
        duties.answers('PUBCOMP', packet.packetIdentifier)
        this.#finish(packet.packetIdentifier, false)
        break
      case PacketType.Suback: {
        const granted = duties.suback(packet)
        if (granted !== undefined) this.#model.granted(granted)
        break
      }
      case PacketType.Unsuback:
        this.#model.ended(duties.unsuback(packet))
        break
      case PacketType.Pingresp:
        duties.pingresp()
        break
      default:
        throw new Violation(`${this.clientId} got ${describePacket(packet)}`)
    }
  }

  #connected(connection: Connection, { sessionPresent, reasonCode }: ConnackPacket): void {
    if (connection.session !== undefined) throw new Violation(`${this.clientId} got a second CONNACK`)
    if (reasonCode !== 0) return
    const known = this.#model.client(this.clientId).session
    const session = this.#model.connected(this.clientId, connection.attempt, sessionPresent)
    connection.session = session
    for (const message of this.#exchanges.begin(sessionPresent && session === known)) this.#model.givenUp(message)
    for (const { message, packetIdentifier, isReceived } of this.#exchanges.outgoing.values()) {
      // [5.0 MQTT-4.4.0-1] in the order of the first sending
      if (isReceived) this.#sendAnswer({ type: PacketType.Pubrel, packetIdentifier })
      else this.#sendPublish(message, packetIdentifier, true)
    }
  }

  #take(session: ModelSession, duties: ServerDuties, packet: PublishPacket): void {
    const id = Buffer.from(packet.payload).toString()
    const { qos, packetIdentifier, topicName, dup, retain, properties } = packet
    if (qos > 0) duties.takes(packetIdentifier)
    const isShared = session.subscriptions.some((each) => each.group !== undefined && topicMatches(each.matchFilter, topicName))
    const isNew = this.#exchanges.arrives(id, packet, isShared)
    // What removes a retained message has no payload to recognize it by.
    if (isNew && id !== '') {
      const { subscriptionIdentifiers = [], messageExpiryInterval } = properties
      this.#model.arrived(session, {
        id,
        topicName,
        qos,
        dup,
        retain,
        subscriptionIdentifiers,
        expirySeconds: messageExpiryInterval,
        isMqtt5: this.isMqtt5
      })
    }
    if (qos > 0) this.#answer({ type: qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetIdentifier })
  }

  #received(packetIdentifier: number, isRefused: boolean): void {
    const outgoing = this.#exchanges.outgoing.get(packetIdentifier)
    if (outgoing === undefined) return
    if (isRefused) {
      this.#exchanges.outgoing.delete(packetIdentifier)
      this.#model.refused(outgoing.message)
      return
    }
    outgoing.isReceived = true
    this.#answer({ type: PacketType.Pubrel, packetIdentifier })
  }

  #finish(packetIdentifier: number, isRefused: boolean): void {
    const outgoing = this.#exchanges.outgoing.get(packetIdentifier)
    if (outgoing === undefined) return
    this.#exchanges.outgoing.delete(packetIdentifier)
    if (isRefused) this.#model.refused(outgoing.message)
    else this.#model.accepted(outgoing.message)
  }

  #answer(answer: Answer): void {
    this.#answers.add(answer)
    if (this.answering === 'prompt') this.answersSome(Infinity)
  }

  #sendAnswer({ type, packetIdentifier }: Answer): void {
    const duties = this.#connection?.duties
    switch (type) {
      case PacketType.Puback:
        this.#exchanges.answered(packetIdentifier)
        duties?.finishes(packetIdentifier)
        this.#write(puback(packetIdentifier))
        break
      case PacketType.Pubrec:
        this.#exchanges.answered(packetIdentifier)
        this.#write(pubrec(packetIdentifier))
        break
      case PacketType.Pubrel:
        duties?.owes('PUBCOMP', packetIdentifier)
        this.#write(pubrel(packetIdentifier))
        break
      case PacketType.Pubcomp:
        this.#exchanges.completed(packetIdentifier)
        duties?.finishes(packetIdentifier)
        this.#write(pubcomp(packetIdentifier))
        break
    }
  }

  #sendPublish(message: PublishedMessage, packetIdentifier: number, dup: boolean): void {
    const connection = this.#connection
    if (connection === undefined) return
    const { id, topicName, qos, retain, isEmpty, expirySeconds } = message.content
    if (qos > 0) connection.duties.owes(qos === 1 ? 'PUBACK' : 'PUBREC', packetIdentifier)
    this.#model.publishing(message)
    this.#write(
      publish(topicName, isEmpty ? '' : id, {
        qos,
        retain,
        dup,
        packetIdentifier,
        ...(expirySeconds !== undefined && { messageExpiryInterval: expirySeconds })
      })
    )
  }

  #write(packet: Packet): void {
    this.#trace.add(() => `${this.clientId} ▷ ${describePacket(packet)}`)
    this.#connection?.transport.write(encodePacket(packet, this.version))
  }
}

/** A topic filter that asks for history first. */
function replayFilter(topicFilter: string, replayed: number | undefined): string {
  if (replayed === undefined) return topicFilter
  return `$replay/${replayed === Infinity ? 'all' : `last=${replayed}`}/${topicFilter}`
}
