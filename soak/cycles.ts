import { encodePacket, PacketType, ProtocolVersion } from '@godwit/protocol'
import { connect, publish, pubrec, subscribe } from '@godwit/testkit'
import type { Address } from '../interop/foreign-client.ts'
import { mqttJs } from '../interop/mqttjs-client.ts'
import { RawClient } from './raw-client.ts'

export interface Cycle {
  readonly address: Address
  readonly random: () => number
  /** Unlike that of any other cycle: part of ClientIDs and topics. */
  readonly name: string
}

const versions = [ProtocolVersion.Mqtt31, ProtocolVersion.Mqtt311, ProtocolVersion.Mqtt5] as const

/** A whole number from 0 to below `end`. */
function below(random: () => number, end: number): number {
  return Math.floor(random() * end)
}

function versionOf(random: () => number): ProtocolVersion {
  return versions[below(random, versions.length)] ?? ProtocolVersion.Mqtt5
}

/** The lives that a client may lead: each ends with nothing of it left in the broker, at the latest a second later. */
export const cycles: Readonly<Record<string, (cycle: Cycle) => Promise<void>>> = {
  async 'comes, publishes to itself, and leaves'({ address, random, name }) {
    const client = await RawClient.connect(address.port, { version: versionOf(random), clientId: name })
    await client.subscribe(`${name}/+`, 2)
    for (const qos of [0, 1, 2] as const) {
      await client.publish(`${name}/topic`, `QoS ${qos}`, { qos })
      await client.take()
    }
    await client.disconnect()
  },

  async 'is reset with messages on their way'({ address, random, name }) {
    const client = await RawClient.connect(address.port, { version: versionOf(random), clientId: name })
    await client.subscribe(`${name}/#`, 1)
    for (let identifier = 1; identifier <= 20; identifier++) {
      client.send(publish(`${name}/topic`, 'lost on the way', { qos: 1, packetIdentifier: identifier }))
    }
    await client.next(PacketType.Publish)
    await client.kill('reset')
  },

  async 'closes its half, and is killed'({ address, random, name }) {
    const client = await RawClient.connect(address.port, { version: versionOf(random), clientId: name })
    await client.subscribe(`${name}/#`, 1)
    client.socket.end()
    await client.ended
    await client.kill('reset')
  },

  async 'goes away in the middle of CONNECT'({ address, random, name }) {
    const client = await RawClient.open(address.port)
    const bytes = encodePacket(connect({ clientId: name }), ProtocolVersion.Mqtt5)
    client.socket.write(bytes.subarray(0, below(random, bytes.byteLength)))
    await client.kill(random() < 0.5 ? 'fin' : 'reset')
  },

  async 'stops reading while much is published to it'({ address, random, name }) {
    const reader = await RawClient.connect(address.port, { clientId: `${name}-reader` })
    await reader.subscribe(name, 1)
    reader.socket.pause()
    const publisher = await RawClient.connect(address.port, { clientId: `${name}-publisher` })
    const payload = new Uint8Array(50_000)
    const count = random() < 0.1 ? 400 : 40
    for (let sent = 0; sent < count; sent++) await publisher.publish(name, payload, { qos: sent % 2 === 0 ? 0 : 1 })
    await publisher.disconnect()
    await reader.kill(random() < 0.5 ? 'fin' : 'reset')
  },

  async 'is taken over, twice'({ address, random, name }) {
    const version = versionOf(random)
    const first = await RawClient.connect(address.port, { version, clientId: name })
    await first.subscribe(name, 1)
    const second = await RawClient.connect(address.port, { version, clientId: name })
    await first.ended
    await second.subscribe(name, 1)
    const third = await RawClient.connect(address.port, { version, clientId: name })
    await Promise.all([first.kill('fin'), second.kill('reset')])
    await third.disconnect()
  },

  async 'leaves QoS 2 unfinished on both sides'({ address, name }) {
    const subscriber = await RawClient.connect(address.port, { clientId: `${name}-subscriber` })
    await subscriber.subscribe(name, 2)
    const publisher = await RawClient.connect(address.port, { clientId: `${name}-publisher` })
    await publisher.publish(name, 'complete', { qos: 2 })
    publisher.send(publish(name, 'never released', { qos: 2, packetIdentifier: 100 }))
    await publisher.next(PacketType.Pubrec)
    await subscriber.next(PacketType.Publish)
    subscriber.send(pubrec(1))
    await subscriber.next(PacketType.Pubrel)
    await Promise.all([publisher.kill('reset'), subscriber.kill('fin')])
  },

  async 'has a durable session for one second more'({ address, random, name }) {
    const session = { clientId: name, sessionExpirySeconds: 1 }
    const before = await RawClient.connect(address.port, session)
    await before.subscribe(`${name}/+`, 2)
    await before.kill('reset')
    const publisher = await RawClient.connect(address.port, { clientId: `${name}-publisher` })
    for (const qos of [1, 2] as const) await publisher.publish(`${name}/topic`, 'waits', { qos })
    await publisher.disconnect()
    if (random() < 0.5) return
    const after = await RawClient.connect(address.port, { ...session, cleanStart: false })
    await after.next(PacketType.Publish)
    await after.kill('reset')
  },

  async 'has a session for ever, and ends it'({ address, name }) {
    const session = { version: ProtocolVersion.Mqtt311, clientId: name }
    const before = await RawClient.connect(address.port, { ...session, cleanStart: false })
    await before.subscribe(name, 1)
    await before.publish(name, 'unacknowledged', { qos: 1 })
    await before.next(PacketType.Publish)
    await before.kill('fin')
    const after = await RawClient.connect(address.port, { ...session, cleanStart: true })
    await after.disconnect()
  },

  async 'leaves a will, at once or delayed'({ address, random, name }) {
    const watcher = await RawClient.connect(address.port, { clientId: `${name}-watcher` })
    await watcher.subscribe(`${name}/will`, 1)
    const isDelayed = random() < 0.5
    const will = { topicName: `${name}/will`, payload: 'gone', qos: 1 as const, willDelaySeconds: isDelayed ? 1 : 0 }
    const client = await RawClient.connect(address.port, { clientId: name, sessionExpirySeconds: isDelayed ? 1 : 0, will })
    await client.kill('reset')
    if (!isDelayed) await watcher.take()
    await watcher.disconnect()
  },

  async 'sends garbage'({ address, random, name }) {
    const bytes = Uint8Array.from({ length: 1 + below(random, 2000) }, () => below(random, 256))
    const stranger = await RawClient.open(address.port)
    stranger.socket.write(bytes)
    await stranger.kill('fin')
    const client = await RawClient.connect(address.port, { version: versionOf(random), clientId: name })
    await client.subscribe(name, 1)
    // Packet type 0 is forbidden: whatever follows, the server ends the connection.
    client.socket.write(Uint8Array.from([0, ...bytes]))
    await client.ended
    await client.kill('fin')
  },

  async 'retains a message and removes it'({ address, random, name }) {
    const client = await RawClient.connect(address.port, { version: versionOf(random), clientId: name })
    await client.publish(`${name}/retained`, 'kept', { qos: 1, retain: true })
    await client.subscribe(`${name}/#`, 1)
    await client.take()
    await client.publish(`${name}/retained`, '', { qos: 1, retain: true })
    await client.kill('fin')
  },

  async 'shares a subscription, and leaves its part to others'({ address, name }) {
    const members = await Promise.all(
      [1, 2, 3].map((member) =>
        RawClient.connect(address.port, { clientId: `${name}-${member}`, sessionExpirySeconds: member === 1 ? 1 : 0 })
      )
    )
    for (const member of members) member.send(subscribe(1, [[`$share/group/${name}`, { qos: 1 }]]))
    await Promise.all(members.map((member) => member.next(PacketType.Suback)))
    const publisher = await RawClient.connect(address.port, { clientId: `${name}-publisher` })
    for (let sent = 0; sent < 9; sent++) await publisher.publish(name, 'for one of you', { qos: 1 })
    await Promise.all(members.map((member) => member.kill('reset')))
    await publisher.disconnect()
  },

  async 'comes by WebSocket, and is killed'({ address, name }) {
    const options = {
      protocolVersion: 5,
      transport: 'websocket',
      clientId: name,
      cleanStart: true,
      sessionExpirySeconds: 0
    } as const
    const client = await mqttJs.connect(address, options)
    await client.subscribe(name, 1)
    await client.publish({
      topicName: name,
      payload: Buffer.from('by WebSocket'),
      qos: 1,
      retain: false,
      properties: { userProperties: [], subscriptionIdentifiers: [] }
    })
    await client.received.next()
    await client.kill()
  }
}
