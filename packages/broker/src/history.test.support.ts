import { NO_PROPERTIES, type Packet, PacketType, type PublishPacket, ReasonCode } from '@godwit/protocol'
import type { HistoryRule } from './history-rules.ts'
import { type Client, World, type WorldOptions } from './world.test.support.ts'

export const DURABLE = { sessionExpiryInterval: 3600 } as const
export const SENSORS: HistoryRule = { topicFilter: 'sensors/#', messages: 1000 }

/** A broker that keeps the history of `sensors/#`, and has some. */
export async function withHistory(count: number, options: WorldOptions = {}): Promise<World> {
  const world = await World.open({ history: [SENSORS], ...options })
  publishes(world, 0, count)
  return world
}

/** Publishes `m0`, `m1`, ... in turn to `sensors/0`, `sensors/1` and `sensors/2`, at QoS 0, 1 and 2. */
export function publishes(world: World, from: number, to: number): void {
  for (let index = from; index < to; index++) publishOne(world, index)
}

export function publishOne(world: World, index: number): void {
  const qos = ([1, 0, 2] as const)[index % 3] ?? 0
  world.publish(`sensors/${index % 3}`, { payload: `m${index}`, qos, publisherClientId: 'device' })
}

export function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `m${from + index}`)
}

/** The order that a receiver can count on: within a topic, whose messages have one QoS here. */
export function byTopic(payloads: readonly string[]): string[] {
  return [0, 1, 2].flatMap((topic) => payloads.filter((payload) => Number(payload.slice(1)) % 3 === topic))
}

/** Goes through the exchange of every message, until nothing comes any more. */
export async function takesAll(world: World, client: Client): Promise<PublishPacket[]> {
  const received: PublishPacket[] = []
  for (;;) {
    await world.settle()
    const packets = client.takes()
    if (packets.length === 0) return received
    for (const packet of packets) {
      if (packet.type === PacketType.Publish) received.push(packet)
      answers(client, packet)
    }
  }
}

/** Goes on with the exchange that a packet belongs to. */
export function answers(client: Client, packet: Packet): void {
  if (packet.type !== PacketType.Publish && packet.type !== PacketType.Pubrel) return
  const { packetIdentifier } = packet
  const answer = { packetIdentifier, reasonCode: ReasonCode.Success, properties: NO_PROPERTIES }
  if (packet.type === PacketType.Pubrel) client.send({ type: PacketType.Pubcomp, ...answer })
  else if (packet.qos === 2) client.send({ type: PacketType.Pubrec, ...answer })
  else if (packet.qos === 1) client.acknowledges(packet)
}

export const payloadOf = ({ payload }: PublishPacket): string => Buffer.from(payload).toString()
export const sequenceOf = ({ properties }: PublishPacket): number =>
  Number(properties.userProperties?.find(([name]) => name === 'godwit-sequence')?.[1])

export async function payloads(world: World, client: Client): Promise<string[]> {
  return (await takesAll(world, client)).map(payloadOf)
}

/** The Reason Codes and the Reason String of the SUBACK that has come. */
export function suback(client: Client): { readonly reasonCodes: readonly number[]; readonly reasonString: string | undefined } {
  for (const packet of client.takes()) {
    if (packet.type === PacketType.Suback) {
      return { reasonCodes: packet.reasonCodes, reasonString: packet.properties.reasonString }
    }
  }
  throw new Error('there was no SUBACK')
}
