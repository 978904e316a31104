import { encodePacket, type Packet, PacketType, PINGREQ, type ProtocolVersion, ReasonCode } from '@godwit/protocol'
import {
  auth,
  connect,
  disconnect,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  scenario,
  type Scenario,
  subscribe,
  type TestClient,
  unsubscribe
} from '@godwit/testkit'
import * as fc from 'fast-check'
import { expect } from 'vitest'

const RUNS = 200
const SEEDS = [1, Date.now() % 0x7fff_ffff]
const NETWORKS = ['whole', { seed: 1 }] as const

/** Valid packets to begin with; their topics are the strangers' own. */
const PACKETS: readonly Packet[] = [
  publish('strange/t', 'payload', { contentType: 'text', userProperties: [['name', 'value']], messageExpiryInterval: 60 }),
  publish('strange/t', 'payload', { qos: 1, retain: true, correlationData: Uint8Array.of(1, 2, 3), responseTopic: 'strange/r' }),
  publish('strange/t', '', { qos: 2, packetIdentifier: 2, topicAlias: 1 }),
  puback(1),
  pubrec(2, ReasonCode.Success, { reasonString: 'because' }),
  pubrel(2),
  pubcomp(3),
  subscribe(4, ['strange/#', ['strange/+', { qos: 2, noLocal: true }]], { subscriptionIdentifier: 5 }),
  subscribe(5, [['$share/group/strange/t', { qos: 1 }]]),
  unsubscribe(6, ['strange/#', 'strange/t']),
  PINGREQ,
  disconnect(ReasonCode.DisconnectWithWillMessage, { reasonString: 'because' }),
  auth(ReasonCode.ReAuthenticate, { authenticationMethod: 'm', authenticationData: Uint8Array.of(1) })
]

function encodings(version: ProtocolVersion): readonly Uint8Array[] {
  return PACKETS.filter(({ type }) => version === 5 || type !== PacketType.Auth).map((packet) => encodePacket(packet, version))
}

/** One tampering: a byte changed, cut out or put in, or the end cut off. */
const tampering = fc.record({
  kind: fc.constantFrom('change', 'remove', 'insert', 'truncate'),
  at: fc.nat(),
  byte: fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff), fc.nat({ max: 255 }))
})

type Tampering = typeof tampering extends fc.Arbitrary<infer Value> ? Value : never

function tampered(bytes: readonly number[], { kind, at, byte }: Tampering): number[] {
  const index = at % (bytes.length + 1)
  switch (kind) {
    case 'change':
      return bytes.toSpliced(index, 1, byte)
    case 'remove':
      return bytes.toSpliced(index, 1)
    case 'insert':
      return bytes.toSpliced(index, 0, byte)
    default:
      return bytes.slice(0, index)
  }
}

/** What a stranger sends: a few packets of its version, a few of them damaged. */
function stream(version: ProtocolVersion): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.tuple(fc.constantFrom(...encodings(version)), fc.array(tampering, { maxLength: 3 })), {
      minLength: 1,
      maxLength: 6
    })
    .map((parts) => Buffer.concat(parts.map(([bytes, tamperings]) => Buffer.from(tamperings.reduce(tampered, [...bytes])))))
}

/** A client that nothing may happen to, and that its own message reaches. */
class Witness {
  readonly #client: TestClient
  readonly #stage: Pick<Scenario, 'broker'>
  #number = 0

  constructor(client: TestClient, stage: Pick<Scenario, 'broker'>) {
    this.#client = client
    this.#stage = stage
  }

  /** Whatever the stranger did, it is gone, and the broker works for others as before. */
  async isUntouched(): Promise<void> {
    await this.#client.receivesNothing()
    const payload = `${++this.#number}`
    await this.#client.publishes('witness', payload, { qos: 2 })
    await this.#client.receives({ type: PacketType.Publish, topicName: 'witness', payload, qos: 2 })
    await this.#client.receivesNothing()
    expect(this.#stage.broker.running.counts.clients).toBe(1)
    expect(this.#stage.broker.loggedErrors).toEqual([])
  }
}

async function witness(stage: Pick<Scenario, 'broker' | 'connects'>): Promise<Witness> {
  const client = await stage.connects({ clientId: 'witness' })
  await client.subscribes('witness', { qos: 2 })
  return new Witness(client, stage)
}

async function goesAway(stranger: TestClient): Promise<void> {
  stranger.ignoresTheRest()
  await stranger.dropsConnection()
}

for (const seed of SEEDS) {
  for (const version of [3, 4, 5] as const) {
    scenario(
      `[5.0 4.13.1] damaged packets of an accepted client of version ${version} harm nobody else: seed ${seed}`,
      { networks: NETWORKS },
      async (stage) => {
        const other = await witness(stage)
        let survivors = 0
        await fc.assert(
          fc.asyncProperty(stream(version), fc.boolean(), async (bytes, isCut) => {
            const stranger = await stage.connects({ version, clientId: 'stranger', acknowledges: false })
            await stranger.sendsBytes(isCut ? bytes.subarray(0, bytes.byteLength >> 1) : bytes)
            if (isCut) await stranger.sendsBytes(bytes.subarray(bytes.byteLength >> 1))
            if (stage.broker.running.counts.clients > 1) survivors++
            await goesAway(stranger)
            await other.isUntouched()
          }),
          { seed, numRuns: RUNS }
        )
        // Tampering must leave enough alive and kill enough, or it would prove nothing.
        expect(survivors).toBeGreaterThan(RUNS / 20)
        expect(survivors).toBeLessThan(RUNS * 0.8)
      }
    )
  }

  scenario(
    `[5.0 4.13.1] random bytes on a new connection harm nobody and let nobody in: seed ${seed}`,
    { networks: NETWORKS },
    async (stage) => {
      const other = await witness(stage)
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
          const stranger = await stage.raw()
          await stranger.sendsBytes(bytes)
          await goesAway(stranger)
          await other.isUntouched()
        }),
        { seed, numRuns: RUNS }
      )
    }
  )

  scenario(
    `[5.0 4.13.1] a damaged CONNECT is accepted or refused, and leaves nothing behind: seed ${seed}`,
    { networks: NETWORKS },
    async (stage) => {
      const other = await witness(stage)
      const will = { topicName: 'strange/will', payload: 'gone', qos: 1, contentType: 'text' } as const
      const whole = encodePacket(
        connect({ clientId: 'stranger', will, userName: 'user', password: 'secret', receiveMaximum: 10, topicAliasMaximum: 3 }),
        5
      )
      // The fixed header, protocol name and version stay, so that the answer is one of 5.0.
      const beginning = whole.subarray(0, 9)
      await fc.assert(
        fc.asyncProperty(fc.array(tampering, { minLength: 1, maxLength: 4 }), async (tamperings) => {
          const rest = tamperings.reduce(tampered, [...whole.subarray(9)])
          const bytes = Buffer.concat([beginning, Buffer.from(rest)])
          bytes[1] = bytes.byteLength - 2
          const stranger = await stage.raw({ acknowledges: false })
          await stranger.sendsBytes(bytes)
          const [answer] = stranger.inbox
          expect([undefined, PacketType.Connack, PacketType.Auth]).toContain(answer?.type)
          await goesAway(stranger)
          await other.isUntouched()
        }),
        { seed, numRuns: RUNS }
      )
    }
  )
}

scenario(
  '[5.0 3.2.2.3.6] lengths that are only claimed, however large, are neither waited for nor made room for',
  { limits: { packetBytesMax: 4096 } },
  async (stage) => {
    const other = await witness(stage)
    for (const claimed of ['ff 20', '80 80 01', 'ff ff ff 7f']) {
      const stranger = await stage.connects({ clientId: 'stranger' })
      await stranger.sendsBytes(`30 ${claimed}`)
      await stranger.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
      await other.isUntouched()
    }
    const largest = await stage.connects({ clientId: 'largest' })
    await largest.sends(publish('strange/t', 'x'.repeat(4096 - 15)))
    await largest.receivesNothing()
    await largest.sends(publish('strange/t', 'x'.repeat(4096 - 14)))
    await largest.isDisconnected({ reasonCode: ReasonCode.PacketTooLarge })
    await other.isUntouched()
  }
)
