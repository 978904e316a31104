import { isSharedSubscription, type QoS, RetainHandling } from '@godwit/protocol'
import { seededRandom } from '@godwit/testkit'
import { Choices } from './choices.ts'
import type { Greeting, SimClient } from './client.ts'
import type { Action, Profile } from './history.ts'
import type { Subscribing } from './replay-model.ts'
import { boundedFilters, boundedTopics, HISTORY_FILTERS, HISTORY_TOPICS, isHistoryFilter, overflowAction } from './rules.ts'
import type { World } from './world.ts'

const TOPICS = ['a/x', 'a/y', 'b/x', 'b/y'] as const
const FILTERS = ['a/x', 'a/+', 'a/#', '+/x', '+/+', 'b/y', 'w/+', 'r/+', 'r/#'] as const
const SHARED_TOPICS = ['s/x/1', 's/y/1', 's/x/2'] as const
/** No topic is of two groups, and none of those is matched by a plain filter: so it is known who got what for whom. */
const SHARED_FILTERS = ['$share/g/s/+/1', '$share/h/s/x/2'] as const
const RETAINED_TOPICS = ['r/x', 'r/y', 'r/z'] as const

/** Messages that a client has under way at once, at most. */
const UNFINISHED_MAX = 12

/** Takes one step of a history, as far as it makes sense by then. */
export async function take(world: World, profile: Profile, action: Action): Promise<void> {
  const choose = new Choices(seededRandom(action.seed))
  const client = world.clients[action.client % world.clients.length]
  if (client === undefined) return
  await takeWith(world, profile, action, client, choose)
  await world.works(choose.below(profile.work + 1))
}

async function takeWith(world: World, profile: Profile, { kind }: Action, client: SimClient, choose: Choices): Promise<void> {
  switch (kind) {
    case 'connect':
      if (world.broker.isRunning && !client.isConnected) world.connect(client, greetingOf(world, profile, client, choose))
      break
    case 'take over':
      if (world.broker.isRunning && client.isConnected) world.connect(client, greetingOf(world, profile, client, choose))
      break
    case 'disconnect':
      disconnects(client, choose)
      break
    case 'lose connection': {
      const how = choose.one('end', 'destroy', 'cut', 'both')
      if (how === 'both') world.cutBoth(client)
      else client.loses(how)
      break
    }
    case 'publish':
      if (client.isAccepted) publishes(world, profile, client, choose)
      else if (world.broker.isRunning && !client.isConnected) world.connect(client, greetingOf(world, profile, client, choose))
      break
    case 'subscribe':
      if (client.isAccepted) subscribes(profile, client, choose)
      else await world.works(choose.below(20))
      break
    case 'unsubscribe':
      client.unsubscribes([filterOf(profile, choose)])
      break
    case 'answer':
      client.answersSome(1 + choose.below(4))
      break
    case 'change answers':
      client.answering = choose.one('prompt', 'slow', 'shuffled')
      break
    case 'ping':
      client.pings()
      break
    case 'work':
      await world.works(choose.below(100))
      break
    case 'come to rest':
      await world.comesToRest()
      break
    case 'let time pass':
      await world.passes(1000 * choose.one(1, 2, 5, 10, 60, 1000))
      break
    case 'crash':
      await crashes(world, profile, choose)
      if (choose.chance(0.8)) await world.starts()
      break
    case 'restart':
      await world.stops()
      if (!world.broker.isRunning) await world.starts()
      break
    case 'hold commits':
      world.disk.holdsCommits()
      break
    case 'release commits':
      world.disk.releasesCommits()
      break
    case 'fail a commit':
      world.model.storeFails()
      world.disk.failsNextCommit()
      break
    case 'fill the disk':
      world.model.storeFails()
      world.disk.runsOutOfRoom()
      break
    case 'make room':
      world.disk.hasRoomAgain()
      break
  }
}

/** More often than not the broker dies in the middle of a commit. */
async function crashes(world: World, profile: Profile, choose: Choices): Promise<void> {
  for (const client of world.clients) if (choose.chance(0.5)) publishes(world, profile, client, choose)
  await world.works(choose.below(profile.work))
  if (choose.chance(0.75)) await world.worksUntilWriting(100)
  if (world.disk.isWriting) world.disk.holdsCommits()
  await world.works(choose.below(60))
  await world.crashes()
}

function greetingOf(world: World, profile: Profile, client: SimClient, choose: Choices): Greeting {
  const cleanStart = world.model.client(client.clientId).mustCleanStart || choose.chance(0.04)
  const seconds = choose.chance(profile.durable) ? choose.one(Infinity, Infinity, Infinity, 3000, 100, 10) : 0
  // Before 5.0 there are sessions that never expire, and clean ones.
  const expirySeconds = client.isMqtt5 ? seconds : cleanStart ? 0 : Infinity
  return {
    cleanStart,
    expirySeconds,
    keepAliveSeconds: choose.one(0, 0, 0, 20),
    receiveMaximum: client.isMqtt5 ? choose.one<number | undefined>(undefined, 1, 2, 5, 20) : undefined,
    will: choose.chance(profile.wills) ? willOf(world, profile, client, choose) : undefined
  }
}

function willOf(world: World, profile: Profile, client: SimClient, choose: Choices): Greeting['will'] {
  const message = world.model.newMessage({
    topicName: `w/${client.clientId}`,
    qos: qosOf(choose),
    retain: choose.chance(profile.retained),
    isEmpty: false,
    publisher: client.clientId,
    isWill: true,
    expirySeconds: undefined
  })
  return { message, delaySeconds: client.isMqtt5 ? choose.one(0, 0, 1, 5, 60) : 0 }
}

function disconnects(client: SimClient, choose: Choices): void {
  if (!client.isAccepted) return
  client.disconnects({
    discardsWill: !client.isMqtt5 || choose.chance(0.7),
    expirySeconds: undefined
  })
}

function publishes(world: World, profile: Profile, client: SimClient, choose: Choices): void {
  for (let left = 1 + choose.below(4); left > 0; left--) {
    if (!client.isAccepted || client.unfinished >= UNFINISHED_MAX) return
    const retain = choose.chance(profile.retained)
    client.publishes(
      world.model.newMessage({
        topicName: topicOf(profile, retain, choose),
        qos: qosOf(choose),
        retain,
        isEmpty: retain && choose.chance(0.1),
        publisher: client.clientId,
        isWill: false,
        expirySeconds: client.isMqtt5 && choose.chance(profile.expiring) ? choose.one(1, 5, 100) : undefined
      })
    )
  }
}

function subscribes(profile: Profile, client: SimClient, choose: Choices): void {
  const identifier = client.isMqtt5 && choose.chance(0.3) ? 1 + choose.below(5) : 0
  const requests: Subscribing[] = []
  for (let left = 1 + choose.below(2); left > 0; left--) {
    const topicFilter = filterOf(profile, choose)
    // Refused as a 3.1.1 publisher, by its connection's end, it would never come to take what waits for it.
    if (!client.isMqtt5 && overflowAction(topicFilter) === 'refuse') continue
    const isShared = isSharedSubscription(topicFilter)
    if (requests.some((request) => request.topicFilter === topicFilter)) continue
    requests.push({
      topicFilter,
      qos: overflowAction(topicFilter) !== undefined ? choose.one(1, 2, 1, 2, 0) : choose.chance(0.1) ? 0 : qosOf(choose),
      noLocal: client.isMqtt5 && !isShared && choose.chance(0.15),
      retainAsPublished: client.isMqtt5 && choose.chance(0.2),
      retainHandling: client.isMqtt5
        ? choose.one(
            RetainHandling.SendAtSubscribe,
            RetainHandling.SendAtSubscribe,
            RetainHandling.SendIfNew,
            RetainHandling.DoNotSend
          )
        : RetainHandling.SendAtSubscribe,
      replayed: isHistoryFilter(topicFilter) ? choose.one(undefined, 1, 3, Infinity, Infinity) : undefined
    })
  }
  if (requests.length > 0) client.subscribes(requests, identifier)
}

function topicOf(profile: Profile, retain: boolean, choose: Choices): string {
  const isShared = choose.chance(profile.shared)
  if (retain) return choose.among<string>(RETAINED_TOPICS)
  const among = ruled(profile, choose)
  if (among === 'bounded') return choose.among(boundedTopics(profile.overflow))
  if (among === 'replayed') return choose.among<string>(HISTORY_TOPICS)
  return choose.among<string>(isShared ? SHARED_TOPICS : TOPICS)
}

function filterOf(profile: Profile, choose: Choices): string {
  const isShared = choose.chance(profile.shared)
  const among = ruled(profile, choose)
  if (among === 'bounded') return choose.among(boundedFilters(profile.overflow))
  if (among === 'replayed') return choose.among<string>(HISTORY_FILTERS)
  return choose.among<string>(isShared ? SHARED_FILTERS : FILTERS)
}

/** Whether to take a topic for which there is a rule; nothing is drawn where there are none. */
function ruled({ bounded, replayed }: Profile, choose: Choices): 'bounded' | 'replayed' | undefined {
  if (bounded > 0 && choose.chance(bounded)) return 'bounded'
  return replayed > 0 && choose.chance(replayed) ? 'replayed' : undefined
}

function qosOf(choose: Choices): QoS {
  return choose.one<QoS>(1, 1, 2, 2, 2, 0)
}
