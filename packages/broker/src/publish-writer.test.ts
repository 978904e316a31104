import { type MessageProperties, NO_PROPERTIES, ProtocolVersion } from '@godwit/protocol'
import { PackedMessage } from '@godwit/storage'
import { memoryTransportPair, type MemoryWire } from '@godwit/transport'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Message } from './message.ts'
import { OutputBuffer, SlabPool } from './output-buffer.ts'
import { PublishScratch, PublishWriter } from './publish-writer.ts'

// fast-check prints its seed when a property fails.

interface Sent {
  readonly message: Message
  readonly qos: 0 | 1 | 2
  readonly dup: boolean
  readonly subscriptionIdentifiers: readonly number[]
}

const NOW = 5_000

/** What a client gets that may have two topic aliases. */
function written(version: ProtocolVersion, packetBytesMax: number, all: readonly Sent[]): Buffer {
  const wires: MemoryWire[] = []
  const chunks: Buffer[] = []
  const [ours, theirs] = memoryTransportPair({ carry: (wire) => void wires.push(wire) })
  theirs.start({ onData: (chunk) => void chunks.push(Buffer.from(chunk)), onDrain() {}, onClose() {} })
  const output = new OutputBuffer(new SlabPool())
  const aliases = version === ProtocolVersion.Mqtt5 ? 2 : 0
  const writer = new PublishWriter(output, version, packetBytesMax, aliases, () => NOW, new PublishScratch())
  for (const { message, qos, dup, subscriptionIdentifiers } of all) {
    const identifiers = version === ProtocolVersion.Mqtt5 ? subscriptionIdentifiers : []
    if (writer.takes(message, qos, identifiers)) writer.write(message, qos, true, dup, qos === 0 ? 0 : 9, identifiers)
  }
  output.flush(ours)
  for (const wire of wires) wire.deliver()
  return Buffer.concat(chunks)
}

function packed(topicName: string, properties: MessageProperties, payload: Uint8Array): PackedMessage {
  const bytes = Buffer.concat([Buffer.from('before'), payload, Buffer.from('behind')])
  return new PackedMessage(topicName, 1, false, properties, 'p', 0, 60_000, bytes, 'before'.length, payload.byteLength)
}

const sending = fc.record({
  topicName: fc.constantFrom('t', 'line/7', 'ünï/cöde', 'a/b/c/d/e/f'),
  properties: fc.constantFrom<MessageProperties>(NO_PROPERTIES, { contentType: 'text' }, { messageExpiryInterval: 60 }),
  payloadLength: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(4095, 4096, 70_000)),
  qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  dup: fc.boolean(),
  subscriptionIdentifiers: fc.uniqueArray(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 })
})

describe('what a client is sent of a message that was read back', () => {
  it('given any messages, then it is the same as of messages that are in memory', () => {
    const versions = fc.constantFrom(ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5)
    const packetBytesMax = fc.constantFrom(Infinity, 100, 5_000)
    fc.assert(
      fc.property(versions, packetBytesMax, fc.array(sending, { maxLength: 12 }), (version, bytesMax, sendings) => {
        const readBack: Sent[] = []
        const inMemory: Sent[] = []
        for (const [index, { topicName, properties, payloadLength, ...how }] of sendings.entries()) {
          const payload = new Uint8Array(payloadLength).fill(index)
          const stored = packed(topicName, properties, payload)
          const { qos, retain, publisherClientId, publishedAtMs, expiresAtMs } = stored
          const fields = { topicName, properties, payload, qos, retain, publisherClientId, publishedAtMs, expiresAtMs }
          readBack.push({ message: Message.of(stored), ...how })
          inMemory.push({ message: Message.of(fields), ...how })
        }
        const expected = written(version, bytesMax, inMemory)
        expect(written(version, bytesMax, readBack).equals(expected)).toBe(true)
      })
    )
  })

  it('given it tells its sequence number, then that is among its User Properties', () => {
    const message = Message.of(packed('t', NO_PROPERTIES, Buffer.from('payload'))).withSequence(41)
    const sent = written(ProtocolVersion.Mqtt5, Infinity, [{ message, qos: 1, dup: false, subscriptionIdentifiers: [] }])
    expect(sent.toString('latin1')).toMatch(/41payload$/)
  })
})
