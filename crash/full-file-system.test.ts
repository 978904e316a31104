import { setTimeout as delay } from 'node:timers/promises'
import { type Packet, PacketType, ProtocolVersion } from '@godwit/protocol'
import { puback, publish } from '@godwit/testkit'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Json, list, object, parseObject, text } from '../interop/json.ts'
import { withinLimit } from '../interop/mailbox.ts'
import { RawClient } from '../soak/raw-client.ts'
import { BrokerProcess } from './broker-process.ts'
import { ROOM_KINDS } from './small-room.ts'

const QUOTA_EXCEEDED = 0x97
const SESSION = { clientId: 'keeper', cleanStart: false, sessionExpirySeconds: 0xffff_ffff }
/** More than any of the rooms holds. */
const MESSAGES_MAX = 20_000
const BODY = 'x'.repeat(8_000)
/** Messages on their way at a time. */
const WINDOW = 20

describe.each(ROOM_KINDS)('given $title that publishers fill', (kind) => {
  it.skipIf(!kind.isPossible)(
    'then nothing is acknowledged that cannot be kept, and the broker goes on when there is room',
    { timeout: 120_000 },
    async () => {
      const room = kind.make()
      onTestFinished(() => room.remove())
      const { data, wrapper } = room
      const broker = new BrokerProcess({ data, wrapper })
      onTestFinished(() => broker.kill('group'))
      const { mqtt, http } = await broker.listening
      const keeper = await RawClient.connect(mqtt, SESSION)
      await keeper.subscribe('fill/#', 1)
      await keeper.disconnect()
      const filler = new Filler(mqtt)

      await filler.fill()
      expect(filler.acknowledged.size).toBeGreaterThan(500)
      expect(await alarms(http)).toEqual(['store-failing'])
      expect(await status(http, '/health/ready')).toBe(503)
      expect(await publishesAs311(mqtt)).toBe('closed')

      // The subscriber comes back, and by taking what waits for it makes room.
      const taken = new Set<number>()
      await drain(mqtt, taken, filler.acknowledged)
      await until(async () => (await alarms(http)).length === 0, 'the alarm to be taken back once messages were taken')
      expect(await status(http, '/health/ready')).toBe(200)
      expect(await publishesAs311(mqtt)).toBe('acknowledged')

      // Full once more, and the file system grows.
      await filler.fill()
      expect(await alarms(http)).toEqual(['store-failing'])
      room.grow(broker.pid)
      await until(async () => (await alarms(http)).length === 0, 'the alarm to be taken back once there was more room')
      await filler.publish(100)
      expect(broker.log.some((line) => line.includes('store is failing'))).toBe(true)

      await broker.kill('process')
      const again = new BrokerProcess({ data })
      onTestFinished(() => again.kill('group'))
      await drain((await again.listening).mqtt, taken, filler.acknowledged)
      expect([...filler.acknowledged].filter((number) => !taken.has(number))).toEqual([])
      expect((await again.stop()).code).toBe(0)
    }
  )
})

/** A 5.0 publisher that goes on until it is refused, and remembers what was acknowledged. */
class Filler {
  readonly acknowledged = new Set<number>()
  readonly #port: number
  #next = 0

  constructor(port: number) {
    this.#port = port
  }

  /** Publishes until it is told that there is no room; one of several connections may be cut by a commit that fails. */
  async fill(): Promise<void> {
    while (this.#next < MESSAGES_MAX) if (await this.#publishRound(WINDOW)) return
    throw new Error('the room was never full')
  }

  /** Publishes messages that all have to be acknowledged. */
  async publish(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += WINDOW) expect(await this.#publishRound(WINDOW)).toBe(false)
  }

  /** Whether any of them was refused. */
  async #publishRound(count: number): Promise<boolean> {
    const client = await RawClient.connect(this.#port, { clientId: 'filler' })
    let isRefused = false
    const numbers = Array.from({ length: count }, () => this.#next++)
    for (const [index, number] of numbers.entries()) {
      client.send(publish(`fill/${number}`, BODY, { qos: 1, packetIdentifier: index + 1 }))
    }
    const answers = Promise.all(numbers.map(() => client.next(PacketType.Puback)))
    const packets = await Promise.race([answers, client.ended.then(() => [])])
    answers.catch(() => {})
    for (const packet of packets) {
      if (packet.type !== PacketType.Puback) continue
      if (packet.reasonCode === QUOTA_EXCEEDED) isRefused = true
      else {
        expect(packet.reasonCode).toBe(0)
        this.acknowledged.add(numbers[packet.packetIdentifier - 1] ?? -1)
      }
    }
    await client.kill('fin')
    return isRefused
  }
}

/** Takes what waits for the session until everything has come that was acknowledged. */
async function drain(port: number, taken: Set<number>, acknowledged: ReadonlySet<number>): Promise<void> {
  const client = await RawClient.connect(port, SESSION)
  while ([...acknowledged].some((number) => !taken.has(number))) {
    const packet: Packet = await client.next(PacketType.Publish)
    if (packet.type !== PacketType.Publish) break
    taken.add(Number(packet.topicName.slice('fill/'.length)))
    client.send(puback(packet.packetIdentifier))
  }
  await client.disconnect()
}

/** What a 3.1.1 client gets for a QoS 1 message: it cannot be told why not. */
async function publishesAs311(port: number): Promise<'acknowledged' | 'closed'> {
  const client = await RawClient.connect(port, { version: ProtocolVersion.Mqtt311, clientId: 'old' })
  client.send(publish('fill/0', BODY, { qos: 1, packetIdentifier: 1 }))
  const acknowledged = client.next(PacketType.Puback).then(() => 'acknowledged' as const)
  acknowledged.catch(() => {})
  const outcome = await Promise.race([acknowledged, client.ended.then(() => 'closed' as const)])
  await client.kill('fin')
  return outcome
}

async function alarms(port: number): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${port}/health`)
  const report: Json = parseObject(await response.text())
  return list(report['alarms'], 'alarms').map((alarm) => text(object(alarm, 'alarm')['name'], 'name'))
}

async function status(port: number, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status
}

async function until(isDone: () => Promise<boolean>, what: string): Promise<void> {
  const looking = async (): Promise<void> => {
    while (!(await isDone())) await delay(20)
  }
  await withinLimit(looking(), what, 20_000)
}
