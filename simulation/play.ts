import { ProtocolVersion, RetainHandling } from '@godwit/protocol'
import type { Fate } from '@godwit/broker'
import type { DiskFault } from '@godwit/testkit'
import { take } from './actions.ts'
import type { Greeting, SimClient } from './client.ts'
import { checkComplete, type Checked } from './completeness.ts'
import type { History } from './history.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

const BACK: Greeting = {
  cleanStart: false,
  expirySeconds: Infinity,
  keepAliveSeconds: 0,
  receiveMaximum: undefined,
  will: undefined
}

/** How often everybody comes back: a 3.1.1 client that is refused does so once for each message, at most. */
const ROUNDS_MIN = 3
const ROUNDS_MAX = 20

const FATES_OF_OWED: readonly Fate[] = ['expired', 'session-ended', 'unsubscribed', 'queue-full', 'dead-lettered']

export interface PlayOptions {
  readonly fault?: DiskFault | undefined
  readonly isTraced?: boolean
}

export interface Played {
  /** What was wrong; undefined: nothing. */
  readonly error: unknown
  readonly trace: readonly string[]
  readonly checked: Checked
}

/** Plays a history, brings every client back, and checks that nothing is missing and nothing is left. */
export async function play(history: History, { fault, isTraced = false }: PlayOptions = {}): Promise<Played> {
  const world = new World(history.seed, history.profile, fault, isTraced)
  let checked: Checked = { owed: 0, expired: 0, dropped: 0 }
  let error: unknown = undefined
  try {
    await world.starts()
    for (const action of history.actions) await take(world, history.profile, action)
    checked = await concludes(world)
  } catch (caught) {
    error = caught
  }
  return { error, trace: world.trace.lines, checked }
}

async function concludes(world: World): Promise<Checked> {
  world.trace.add(() => 'everybody comes back')
  await world.comesToRest()
  const { overflow } = world.model
  const absent = overflow.absent()
  await bringsBack(world)
  for (const each of absent) overflow.checkReturned(each)
  const checked = checkComplete(world.model)
  checkFates(world, checked.dropped)
  await checkRetained(world)
  await checkRoom(world)
  await checkRest(world)
  return checked
}

/** Every client connects, and takes what waits for it. */
async function bringsBack(world: World): Promise<void> {
  const isDone = (client: SimClient): boolean => client.isAccepted && client.unfinished === 0
  for (let rounds = 0; rounds < ROUNDS_MIN || (rounds < ROUNDS_MAX && !world.clients.every(isDone)); rounds++) {
    for (const client of world.clients) {
      client.answering = 'prompt'
      if (!client.isConnected) {
        const { mustCleanStart } = world.model.client(client.clientId)
        world.connect(client, {
          ...BACK,
          cleanStart: mustCleanStart,
          expirySeconds: client.isMqtt5 || !mustCleanStart ? Infinity : 0
        })
      }
      client.answersSome(Infinity)
    }
    await world.comesToRest()
  }
  for (const client of world.clients) {
    if (!client.isAccepted) throw new Violation(`${client.clientId} cannot connect`)
    if (client.unfinished > 0) throw new Violation(`${client.unfinished} messages of ${client.clientId} are not acknowledged`)
  }
}

/** Whatever was owed and not delivered is counted. A crash may have had the same message counted twice. */
function checkFates(world: World, dropped: number): void {
  let counted = 0
  for (const fate of FATES_OF_OWED) counted += world.fate(fate)
  if (counted < dropped) throw new Violation(`${dropped} messages were owed and dropped, and only ${counted} have a fate`)
}

/** A client that comes anew is sent the retained messages that there must be. */
async function checkRetained(world: World): Promise<void> {
  const reader = world.newClient('reader', ProtocolVersion.Mqtt5)
  world.connect(reader, { ...BACK, cleanStart: true, expirySeconds: 0 })
  await world.comesToRest()
  const options = { qos: 2, noLocal: false, retainAsPublished: false, retainHandling: RetainHandling.SendAtSubscribe } as const
  reader.subscribes([{ topicFilter: '#', ...options }], 0)
  await world.comesToRest()
  const found = new Map<string, string>()
  for (const id of world.model.client('reader').session?.received.keys() ?? []) {
    const message = world.model.messages.get(id)
    if (message !== undefined) found.set(message.content.topicName, id)
  }
  world.model.retained.check(found)
  reader.disconnects({ discardsWill: true, expirySeconds: undefined })
  await world.comesToRest()
}

/** Everything was taken by everybody: nothing is kept but what is retained, and in the history. */
async function checkRoom(world: World): Promise<void> {
  await world.passes(2000)
  await world.comesToRest()
  const leftBytes = world.disk.storedBytes - world.disk.retainedBytes - world.historyBytes
  if (leftBytes !== 0) throw new Violation(`${leftBytes} bytes of messages are kept that everybody has got`)
}

/** A crash at rest loses nothing, and repeats nothing. */
async function checkRest(world: World): Promise<void> {
  for (const client of world.clients) {
    // A crash would publish its will.
    if (world.model.client(client.clientId).attempt?.will === undefined) continue
    client.disconnects({ discardsWill: true, expirySeconds: undefined })
  }
  await world.comesToRest()
  await world.crashes()
  await world.starts()
  for (const client of world.clients) {
    client.deliveries = 0
    world.connect(client, BACK)
  }
  await world.comesToRest()
  for (const { clientId, deliveries } of world.clients) {
    if (deliveries > 0) throw new Violation(`${clientId} was sent ${deliveries} packets again after a crash at rest`)
  }
}
