import { describe, expect, it } from 'vitest'
import { encodePacket } from './encode-packet.ts'
import { MqttError } from './mqtt-error.ts'
import { PacketDecoder } from './packet-decoder.ts'
import { PacketType } from './packet-type.ts'
import { NO_PROPERTIES } from './properties.ts'
import { ProtocolVersion } from './protocol-version.ts'
import { ReasonCode } from './reason-codes.ts'
import { bytes, concat } from './testing/bytes.ts'
import { byteByByte, connectionFor, decodeChunks, decodeOne, plain } from './testing/decode.ts'
import { packetCases } from './testing/packet-cases.ts'

// Cases beyond this length are about lengths; splitting them everywhere would prove nothing more.
const SHORT_MAX = 300
const BYTE_BY_BYTE_MAX = 70_000
const shortCases = packetCases.filter((each) => each.bytes.length <= SHORT_MAX)

describe('each packet of each version', () => {
  it.each(packetCases)('is decoded: $title', ({ packet, protocolVersion, bytes }) => {
    expect(decodeOne(connectionFor(packet, protocolVersion), bytes)).toEqual({ packets: [packet] })
  })

  it.each(packetCases.filter((each) => each.decodeOnly !== true))('is encoded: $title', ({ packet, protocolVersion, bytes }) => {
    const encoded = encodePacket(packet, protocolVersion)
    if (bytes.length <= SHORT_MAX) expect(encoded).toEqual(bytes)
    else expect(Buffer.compare(encoded, bytes)).toBe(0)
  })

  it.each(packetCases.filter((each) => each.bytes.length <= BYTE_BY_BYTE_MAX))(
    'is decoded byte by byte: $title',
    ({ packet, protocolVersion, bytes }) => {
      const connection = connectionFor(packet, protocolVersion)
      // Then a second one, to see that the first has left nothing behind; a second CONNECT is another matter.
      const whole = packet.type === PacketType.Connect ? bytes : concat(bytes, bytes)
      expect(decodeChunks(connection, byteByByte(whole))).toEqual(decodeChunks(connection, [whole]))
    }
  )

  it.each(shortCases)('is decoded from two chunks wherever they part: $title', ({ packet, protocolVersion, bytes }) => {
    const connection = connectionFor(packet, protocolVersion)
    for (let at = 1; at < bytes.length; at++) {
      expect(decodeChunks(connection, [bytes.slice(0, at), bytes.slice(at)])).toEqual({ packets: [packet] })
    }
  })

  it.each(shortCases)('needs all its bytes: $title', ({ packet, protocolVersion, bytes }) => {
    const connection = connectionFor(packet, protocolVersion)
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeOne(connection, bytes.slice(0, length))).toEqual({ packets: [] })
    }
  })

  it.each(shortCases)('is not read beyond its end: $title', ({ packet, protocolVersion, bytes }) => {
    const surrounded = concat(new Uint8Array(7).fill(0xff), bytes, new Uint8Array(7).fill(0xff))
    const chunk = surrounded.subarray(7, 7 + bytes.length)
    expect(decodeOne(connectionFor(packet, protocolVersion), chunk)).toEqual({ packets: [packet] })
  })

  it.each(shortCases.filter((each) => each.bytes.length <= 128))(
    'is never more than its Remaining Length says: $title',
    ({ packet, protocolVersion, bytes }) => {
      const connection = connectionFor(packet, protocolVersion)
      for (let remainingLength = 0; remainingLength < bytes.length - 2; remainingLength++) {
        const cut = concat(bytes.slice(0, 1), Uint8Array.of(remainingLength), bytes.slice(2, 2 + remainingLength))
        const { packets, reasonCode } = decodeOne(connection, cut)
        // A packet that is cut off may be a shorter packet: less payload, an acknowledgement without its reason.
        for (const each of packets) expect(encodePacket(each, protocolVersion).length).toBeLessThanOrEqual(cut.length)
        if (packets.length === 0) expect([ReasonCode.MalformedPacket, ReasonCode.ProtocolError]).toContain(reasonCode)
      }
    }
  )
})

describe('PacketDecoder', () => {
  const publish = bytes("30 08 0003 'a/b' 00 'hi'")
  const server311 = { receiver: 'server', protocolVersion: ProtocolVersion.Mqtt311 } as const
  const server5 = { receiver: 'server', protocolVersion: ProtocolVersion.Mqtt5 } as const

  function serverOf5(maximumPacketSize = 1024): PacketDecoder {
    return new PacketDecoder({ ...server5, maximumPacketSize })
  }

  it('gives the packets of a chunk one at a time, as they are asked for', () => {
    const decoder = serverOf5()
    decoder.push(concat(publish, bytes('c0 00'), publish.slice(0, 3)))
    expect(decoder.next()?.type).toBe(PacketType.Publish)
    expect(decoder.bufferedBytes).toBe(5)
    expect(decoder.next()?.type).toBe(PacketType.Pingreq)
    expect(decoder.next()).toBeUndefined()
    expect(decoder.bufferedBytes).toBe(3)
    decoder.push(publish.slice(3))
    expect(decoder.next()?.type).toBe(PacketType.Publish)
    expect(decoder.bufferedBytes).toBe(0)
    expect(decoder.next()).toBeUndefined()
  })

  it('keeps chunks that arrive while nobody asks, in their order', () => {
    const decoder = serverOf5()
    const whole = concat(publish, bytes('c0 00'), publish, bytes('e0 00'))
    for (const byte of byteByByte(whole)) decoder.push(byte)
    expect(decoder.bufferedBytes).toBe(whole.length)
    const types = [decoder.next()?.type, decoder.next()?.type, decoder.next()?.type, decoder.next()?.type, decoder.next()]
    expect(types).toEqual([PacketType.Publish, PacketType.Pingreq, PacketType.Publish, PacketType.Disconnect, undefined])
    expect(decoder.bufferedBytes).toBe(0)
  })

  it('gives payloads as views of the chunk, and copies only a packet that spans chunks', () => {
    const decoder = serverOf5()
    decoder.push(publish)
    const inPlace = decoder.next()
    decoder.push(publish.subarray(0, 5))
    decoder.next()
    decoder.push(publish.subarray(5))
    const copied = decoder.next()
    if (inPlace?.type !== PacketType.Publish || copied?.type !== PacketType.Publish) throw new TypeError('Not a PUBLISH')
    expect(inPlace.payload.buffer).toBe(publish.buffer)
    expect(copied.payload.buffer).not.toBe(publish.buffer)
    expect(plain(copied)).toEqual(plain(inPlace))
  })

  it('gives payloads as plain Uint8Arrays, of Buffers too', () => {
    const decoder = serverOf5()
    decoder.push(Buffer.from(publish))
    const packet = decoder.next()
    if (packet?.type !== PacketType.Publish) throw new TypeError('Not a PUBLISH')
    expect(packet.payload.constructor).toBe(Uint8Array)
  })

  it('shares NO_PROPERTIES among the packets without properties', () => {
    const { packets } = decodeOne(server5, publish)
    expect(packets).toHaveLength(1)
    for (const packet of packets) expect('properties' in packet && packet.properties).toBe(NO_PROPERTIES)
  })

  it('fails for good at the first error', () => {
    const decoder = serverOf5()
    decoder.push(concat(publish, bytes('00 00'), publish))
    expect(decoder.next()?.type).toBe(PacketType.Publish)
    const errors: unknown[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        decoder.next()
      } catch (error) {
        errors.push(error)
      }
      decoder.push(publish)
    }
    expect(errors).toHaveLength(3)
    expect(errors[0]).toBeInstanceOf(MqttError)
    expect(new Set(errors).size).toBe(1)
    expect(decoder.bufferedBytes).toBe(0)
  })

  it('[5.0 MQTT-3.1.2-24] refuses a packet above the maximum size as soon as its length is known', () => {
    const limited = { ...server5, maximumPacketSize: publish.length }
    expect(decodeOne(limited, publish).packets).toHaveLength(1)
    expect(decodeOne(limited, bytes('30 09')).reasonCode).toBe(ReasonCode.PacketTooLarge)
    expect(decodeOne(limited, bytes('30 ffffff7f')).reasonCode).toBe(ReasonCode.PacketTooLarge)
  })

  it('does not take memory for a length that is only claimed', () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 1000 }, () => serverOf5(268_435_460))
    for (const decoder of decoders) {
      decoder.push(bytes('30 ffffff7f 0001'))
      expect(decoder.next()).toBeUndefined()
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024)
  })

  it('spends time in proportion to the bytes, however small the chunks', () => {
    const payload = new Uint8Array(300_000).fill(0x2a)
    const publish311 = concat(bytes("30 e5a712 0003 'a/b'"), payload)
    const decoder = new PacketDecoder({ ...server311, maximumPacketSize: 1_000_000 })
    let early = 0
    for (const byte of byteByByte(publish311)) {
      if (decoder.next() !== undefined) early++
      decoder.push(byte)
    }
    expect(early).toBe(0)
    expect(decoder.next()).toMatchObject({ topicName: 'a/b', payload })
  })

  it('spends time in proportion to the bytes, however many small chunks wait', () => {
    const payload = new Uint8Array(300_000).fill(0x2a)
    const decoder = new PacketDecoder({ ...server311, maximumPacketSize: 1_000_000 })
    for (const byte of byteByByte(concat(bytes("30 e5a712 0003 'a/b'"), payload))) decoder.push(byte)
    expect(decoder.next()).toMatchObject({ topicName: 'a/b', payload })
    expect(decoder.bufferedBytes).toBe(0)
  })
})

describe('the beginning of a connection', () => {
  const server = { receiver: 'server' } as const

  function decoderAfter(connect: Uint8Array): { readonly decoder: PacketDecoder; readonly reasonCode: number | undefined } {
    const decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: 1024 })
    decoder.push(connect)
    try {
      decoder.next()
      return { decoder, reasonCode: undefined }
    } catch (error) {
      if (!(error instanceof MqttError)) throw error
      return { decoder, reasonCode: error.reasonCode }
    }
  }

  it.each([
    { title: '3.1', protocolVersion: ProtocolVersion.Mqtt31, connect: "10 0f 0006 'MQIsdp' 03 02 003c 0001 'c'" },
    { title: '3.1.1', protocolVersion: ProtocolVersion.Mqtt311, connect: "10 0d 0004 'MQTT' 04 02 003c 0001 'c'" },
    { title: '5.0', protocolVersion: ProtocolVersion.Mqtt5, connect: "10 0e 0004 'MQTT' 05 02 003c 00 0001 'c'" }
  ])('a server learns the version from CONNECT: $title', ({ protocolVersion, connect }) => {
    const { decoder, reasonCode } = decoderAfter(bytes(connect))
    expect(reasonCode).toBeUndefined()
    expect(decoder.protocolVersion).toBe(protocolVersion)
  })

  it.each([
    // Who is refused in which form [3.1.1 MQTT-3.1.2-2], [5.0 MQTT-3.1.2-2]
    { title: 'MQIsdp 4', connect: "10 0f 0006 'MQIsdp' 04 02 003c 0001 'c'", answer: ProtocolVersion.Mqtt31 },
    { title: 'MQTT 3', connect: "10 0d 0004 'MQTT' 03 02 003c 0001 'c'", answer: ProtocolVersion.Mqtt311 },
    { title: 'MQTT 0', connect: "10 0d 0004 'MQTT' 00 02 003c 0001 'c'", answer: ProtocolVersion.Mqtt311 },
    { title: 'MQTT 6', connect: "10 0e 0004 'MQTT' 06 02 003c 00 0001 'c'", answer: ProtocolVersion.Mqtt5 },
    { title: 'MQTT 255', connect: "10 0e 0004 'MQTT' ff 02 003c 00 0001 'c'", answer: ProtocolVersion.Mqtt5 },
    { title: 'MQTT 4 of a bridge', connect: "10 0d 0004 'MQTT' 84 02 003c 0001 'c'", answer: ProtocolVersion.Mqtt311 },
    { title: 'MQTT 5 of a bridge', connect: "10 0e 0004 'MQTT' 85 02 003c 00 0001 'c'", answer: ProtocolVersion.Mqtt5 },
    // [5.0 MQTT-3.1.2-1], [3.1.1 MQTT-3.1.2-1]
    { title: 'mqtt 4', connect: "10 0d 0004 'mqtt' 04 02 003c 0001 'c'", answer: undefined },
    { title: 'an empty name', connect: "10 09 0000 04 02 003c 0001 'c'", answer: undefined },
    { title: 'another protocol', connect: "10 0d 0004 'AMQP' 04 02 003c 0001 'c'", answer: undefined }
  ])('a version that is not supported tells how to answer: $title', ({ connect, answer }) => {
    const { decoder, reasonCode } = decoderAfter(bytes(connect))
    expect(reasonCode).toBe(ReasonCode.UnsupportedProtocolVersion)
    expect(decoder.protocolVersion).toBe(answer)
  })

  it('a malformed CONNECT of 5.0 tells that its sender understands a CONNACK of 5.0', () => {
    const { decoder, reasonCode } = decoderAfter(bytes("10 0e 0004 'MQTT' 05 03 003c 00 0001 'c'"))
    expect(reasonCode).toBe(ReasonCode.MalformedPacket)
    expect(decoder.protocolVersion).toBe(ProtocolVersion.Mqtt5)
  })

  it.each([
    "30 07 0003 'a/b' 'hi'",
    'c0 00',
    'e0 00',
    'f0 00',
    // The first byte of an HTTP request and of a CoAP message over TCP.
    "'GET / HTTP/1.1'",
    '40'
  ])('[5.0 MQTT-3.1.0-1] [3.1.1 MQTT-3.1.0-1] nothing but CONNECT comes first: %s', (notation) => {
    expect(decodeOne(server, bytes(notation)).reasonCode).toBe(ReasonCode.ProtocolError)
  })

  it('[5.0 MQTT-3.1.0-2] [3.1.1 MQTT-3.1.0-2] a second CONNECT is a Protocol Error', () => {
    const connect = bytes("10 0d 0004 'MQTT' 04 02 003c 0001 'c'")
    const outcome = decodeOne(server, concat(connect, connect))
    expect(outcome.packets).toHaveLength(1)
    expect(outcome.reasonCode).toBe(ReasonCode.ProtocolError)
  })

  it('a client says which version it has asked for', () => {
    expect(() => new PacketDecoder({ receiver: 'client', maximumPacketSize: 1024 })).toThrow(TypeError)
  })
})
