import { PacketType } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { Elisions } from './elisions.ts'
import { type Client, World } from './world.test.support.ts'

const DURABLE = { sessionExpiryInterval: 3600 }

async function subscribed(world: World, clientId: string, topicFilter = 't'): Promise<Client> {
  const client = await world.connects({ clientId, ...DURABLE })
  await client.subscribes(topicFilter)
  client.takes()
  return client
}

/** Publishes at QoS 1 while nothing is committed. */
async function publishesUncommitted(world: World): Promise<Client> {
  const publisher = await world.connects({ clientId: 'p' })
  publisher.takes()
  world.holdsCommits = true
  publisher.publishes('t', 'x')
  await world.settle()
  return publisher
}

function answers(client: Client): string[] {
  return client.takes().map(({ type }) => (type === PacketType.Puback ? 'PUBACK' : `${type}`))
}

describe('the acknowledgement of a message that every durable subscriber has finished with', () => {
  it('given that its commit has not been made, then it is sent when the last of them has acknowledged', async () => {
    const world = await World.open()
    const [one, other] = [await subscribed(world, 's1'), await subscribed(world, 's2', '#')]
    const publisher = await publishesUncommitted(world)
    const [first, second] = [one.takesPublishes(), other.takesPublishes()]
    expect([first.length, second.length, answers(publisher)]).toEqual([1, 1, []])
    for (const publish of first) one.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual([])
    for (const publish of second) other.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual(['PUBACK'])
    world.holdsCommits = false
    await world.settle()
    expect(answers(publisher)).toEqual([])
  })

  it('given one of them without a connection, then it waits for the commit', async () => {
    const world = await World.open()
    const [one, absent] = [await subscribed(world, 's1'), await subscribed(world, 's2')]
    await absent.drops()
    const publisher = await publishesUncommitted(world)
    for (const publish of one.takesPublishes()) one.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual([])
    world.holdsCommits = false
    await world.settle()
    expect(answers(publisher)).toEqual(['PUBACK'])
  })

  it('given an earlier one that still waits, then it comes behind that', async () => {
    const world = await World.open()
    const [one, absent] = [await subscribed(world, 's1'), await subscribed(world, 's2', 'u')]
    await absent.drops()
    const publisher = await world.connects({ clientId: 'p' })
    publisher.takes()
    world.holdsCommits = true
    publisher.publishes('u', 'first')
    publisher.publishes('t', 'second')
    await world.settle()
    for (const publish of one.takesPublishes()) one.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual([])
    world.holdsCommits = false
    await world.settle()
    expect(answers(publisher)).toEqual(['PUBACK', 'PUBACK'])
  })

  it('given a retained message, then it waits for the commit of its retained copy', async () => {
    const world = await World.open()
    const one = await subscribed(world, 's1')
    const publisher = await world.connects({ clientId: 'p' })
    publisher.takes()
    world.holdsCommits = true
    publisher.publishes('t', 'x', 1, true)
    await world.settle()
    for (const publish of one.takesPublishes()) one.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual([])
  })

  it('given a member of a group that is the only subscriber, then its acknowledgement lets it go', async () => {
    const world = await World.open()
    const member = await subscribed(world, 'm', '$share/g/t')
    const publisher = await publishesUncommitted(world)
    for (const publish of member.takesPublishes()) member.acknowledges(publish)
    await world.settle()
    expect(answers(publisher)).toEqual(['PUBACK'])
  })

  it('given a commit, then nothing of it is remembered', () => {
    const elisions = new Elisions()
    elisions.offers()
    elisions.taken()
    const elision = elisions.offered(7, 1, 1)
    let answered = 0
    elision?.wait({ onElided: () => answered++ }, { commit: 1, bytes: new Uint8Array() })
    elisions.committed(1)
    elisions.finished(7)
    expect([elision === undefined, answered]).toEqual([false, 0])
  })
})
