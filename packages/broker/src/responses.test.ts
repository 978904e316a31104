import { type Packet, PacketDecoder, PacketType, ProtocolVersion } from '@godwit/protocol'
import type { Transport } from '@godwit/transport'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { collectGarbage } from './garbage.test.support.ts'
import { Delivery } from './inflight.ts'
import { OutputBuffer, SlabPool } from './output-buffer.ts'
import { Responses } from './responses.ts'
import { message } from './samples.test.support.ts'

// fast-check prints its seed when a property fails.

/** What has been written to an output, as packets. */
function written(output: OutputBuffer): Packet[] {
  const decoder = new PacketDecoder({ receiver: 'client', maximumPacketSize: 10_000, protocolVersion: ProtocolVersion.Mqtt5 })
  const transport: Transport = {
    kind: 'memory',
    peer: { address: '', port: 0, certificate: undefined },
    bufferedBytes: 0,
    start() {},
    write(bytes) {
      decoder.push(bytes.slice())
      return true
    },
    cork() {},
    uncork() {},
    pause() {},
    resume() {},
    end() {},
    destroy() {}
  }
  output.flush(transport)
  const packets: Packet[] = []
  for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(packet)
  return packets
}

function delivery(): Delivery {
  return new Delivery(message('t'), 2, false, [], 1, undefined)
}

const kind = fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp', 'bytes', 'delivery')
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: kind, isStored: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant('commit' as const) },
  { weight: 1, arbitrary: fc.constant('next commit gathers' as const) }
)
const TYPES = {
  puback: PacketType.Puback,
  pubrec: PacketType.Pubrec,
  pubrel: PacketType.Pubrel,
  pubcomp: PacketType.Pubcomp
} as const

describe('responses', () => {
  it('given any answers and commits, then they come out in order, none before its commit, and none later than it must', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const output = new OutputBuffer(new SlabPool())
        const responses = new Responses(output)
        let gathering = 1
        const waiting: { readonly commit: number; readonly what: string; readonly endsPublish: boolean }[] = []
        const expected: string[] = []
        const actual: string[] = []
        const sent = new Map<Delivery, string>()
        const collect = (): void => {
          for (const packet of written(output)) actual.push('packetIdentifier' in packet ? `${packet.packetIdentifier}` : 'other')
        }
        for (const [index, step] of steps.entries()) {
          if (step === 'next commit gathers') gathering++
          else if (step === 'commit') {
            const durable = gathering++
            responses.release(durable, {
              sendLate: (each) => {
                collect()
                actual.push(sent.get(each) ?? 'unknown')
              }
            })
            collect()
            while (waiting[0] !== undefined && waiting[0].commit <= durable) expected.push(waiting.shift()?.what ?? '')
          } else {
            const commit = step.isStored ? gathering : 0
            const packetIdentifier = index + 1
            if (step.add === 'bytes') {
              responses.add({ commit, bytes: Uint8Array.of(0x40, 2, packetIdentifier >> 8, packetIdentifier & 0xff) })
            } else if (step.add === 'delivery') {
              const added = delivery()
              sent.set(added, `${packetIdentifier}`)
              responses.add({ commit, delivery: added })
            } else responses.add({ commit, acknowledgement: TYPES[step.add], packetIdentifier })
            const endsPublish = step.add === 'puback' || step.add === 'pubcomp'
            waiting.push({ commit, what: `${packetIdentifier}`, endsPublish })
          }
          expect(actual).toEqual(expected)
          expect([responses.length, responses.isEmpty]).toEqual([waiting.length, waiting.length === 0])
          expect(responses.unanswered).toBe(waiting.filter((each) => each.endsPublish).length)
        }
      }),
      { numRuns: 300 }
    )
  })

  it('given a client that always has something waiting for the next commit, then what was answered is not held', async () => {
    const responses = new Responses(new OutputBuffer(new SlabPool()))
    const answered: WeakRef<Delivery>[] = []
    for (let commit = 1; commit <= 2000; commit++) {
      const added = delivery()
      answered.push(new WeakRef(added))
      responses.add({ commit, delivery: added })
      responses.release(commit - 1, { sendLate() {} })
    }
    await collectGarbage()
    const held = answered.filter((each) => each.deref() !== undefined).length
    expect(responses.length).toBe(1)
    expect(held).toBeLessThan(600)
  })
})
