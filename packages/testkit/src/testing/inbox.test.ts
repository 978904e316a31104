import { type ConnectProperties, encodePacket, type Packet, PacketType, PINGRESP, ProtocolVersion } from '@godwit/protocol'
import { expect, test } from 'vitest'
import { toHex } from '../hex.ts'
import { puback, publish } from '../packets.ts'
import { Inbox } from './inbox.ts'

const encoded = (packet: Packet) => encodePacket(packet, ProtocolVersion.Mqtt5)

function inboxOf(properties: ConnectProperties = {}, ...packets: readonly Packet[]): Inbox {
  const inbox = new Inbox(ProtocolVersion.Mqtt5, () => 'client a')
  inbox.limit(properties)
  for (const packet of packets) inbox.push(encoded(packet), () => false)
  return inbox
}

test('packets are found in chunks, in order, each with its bytes', () => {
  const inbox = inboxOf()
  const stream = Buffer.concat([encoded(PINGRESP), encoded(puback(7)), encoded(publish('t', 'x'))])
  for (const byte of stream) inbox.push(Buffer.from([byte]), () => false)
  expect(inbox.packets.map(({ type }) => type)).toEqual([PacketType.Pingresp, PacketType.Puback, PacketType.Publish])
  expect(toHex(inbox.nextBytes())).toBe('d0 00')
  expect(toHex(inbox.nextBytes())).toBe('40 02 00 07')
  expect(inbox.next({ type: PacketType.Publish, topicName: 't' }).payload).toEqual(new Uint8Array([0x78]))
  inbox.expectEmpty()
})

test('a packet that is handled at once is not kept', () => {
  const inbox = inboxOf()
  inbox.push(Buffer.concat([encoded(PINGRESP), encoded(puback(7))]), ({ type }) => type === PacketType.Pingresp)
  expect(inbox.packets).toHaveLength(1)
})

test('an answer is taken from wherever it stands', () => {
  const inbox = inboxOf({}, publish('t'), puback(8), puback(7))
  expect(inbox.answer(PacketType.Puback, 7).packetIdentifier).toBe(7)
  expect(() => inbox.answer(PacketType.Puback, 7)).toThrow(
    'client a did not receive PUBACK for packet identifier 7, but\n  PUBLISH'
  )
  expect(inbox.packets.map(({ type }) => type)).toEqual([PacketType.Publish, PacketType.Puback])
})

test('packets in any order have to be the ones expected, each once', () => {
  const expected = [
    { type: PacketType.Puback, packetIdentifier: 2 },
    { type: PacketType.Puback, packetIdentifier: 1 }
  ] as const
  expect(inboxOf({}, puback(1), puback(2), puback(3)).nextInAnyOrder(expected)).toHaveLength(2)
  expect(() => inboxOf({}, puback(2), puback(2)).nextInAnyOrder(expected)).toThrow(
    'did not receive\n  PUBACK {"packetIdentifier":1}'
  )
})

test('a packet above the Maximum Packet Size that the client told is an error', () => {
  expect(inboxOf({ maximumPacketSize: 8 }, publish('t', 'xx')).packets).toHaveLength(1)
  expect(() => inboxOf({ maximumPacketSize: 7 }, publish('t', 'xx'))).toThrow(
    'was sent 8 bytes, above its Maximum Packet Size of 7'
  )
})

test('a Topic Alias above the maximum that the client told is an error', () => {
  expect(inboxOf({ topicAliasMaximum: 2 }, publish('t', '', { topicAlias: 2 })).packets).toHaveLength(1)
  expect(() => inboxOf({ topicAliasMaximum: 2 }, publish('t', '', { topicAlias: 3 }))).toThrow('was sent Topic Alias 3')
  expect(() => inboxOf({}, publish('t', '', { topicAlias: 1 }))).toThrow('above its maximum of 0')
})
