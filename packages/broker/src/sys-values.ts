import { NO_PROPERTIES } from '@godwit/protocol'
import type { Engine } from './engine.ts'
import { FATE_NAMES } from './fate-catalogue.ts'
import type { Drop } from './fates.ts'
import { Message } from './message.ts'
import { packageVersion } from './version.ts'

/** How many of the latest drops `$SYS/broker/fates/recent` has. */
const RECENT_DROPS_MAX = 20

/** The broker speaks for itself on this topic and those below it; clients only listen. */
export const SYS_ROOT = '$SYS'
export const SYS_PREFIX = '$SYS/'

/** What comes before the fates of one client. */
export const SYS_CLIENT_FATES: string = `${SYS_PREFIX}broker/fates/clients/`

/** Whether topics of the broker's own may match a filter; wildcards at its beginning do not match them ([5.0 MQTT-4.7.2-1]). */
export function isSysFilter(topicFilter: string): boolean {
  return topicFilter.startsWith(SYS_PREFIX)
}

/** A ClientID as one level of a topic: what would end the level, be a wildcard, or look encoded, is percent-encoded. */
export function asTopicLevel(clientId: string): string {
  return clientId.replace(/[%/+#]/g, encodeURIComponent)
}

/** A message that the broker publishes for itself. */
export function sysMessage(topicName: string, text: string, nowMs: number): Message {
  const content = { topicName, payload: Buffer.from(text), qos: 0, retain: false, properties: NO_PROPERTIES } as const
  return Message.publish(content, '', nowMs)
}

/** One topic of the broker's own, with what was last found to be its value. */
export class SysValue {
  readonly topicName: string
  readonly #read: () => string
  #text: string | undefined = undefined
  #message: Message | undefined = undefined
  /** In which period, as `SysTopics` counts them, it changed last. */
  changedIn = 0

  constructor(topicName: string, read: () => string) {
    this.topicName = `${SYS_PREFIX}broker/${topicName}`
    this.#read = read
  }

  /** Has another look at it, at the end of a period. */
  refresh(period: number): void {
    const text = this.#read()
    if (text === this.#text) return
    this.#text = text
    this.#message = undefined
    this.changedIn = period
  }

  /** Its value as a message, the same for everybody. */
  message(nowMs: number): Message {
    this.#message ??= sysMessage(this.topicName, this.#text ?? '', nowMs)
    return this.#message
  }
}

/** Everything that the broker tells of itself, but for the fates of single clients. Names that Mosquitto has too mean the same. */
export function sysValues(engine: Engine): readonly SysValue[] {
  const { clients, sessions, subscriptions, store, fates, traffic, clock } = engine
  const version = `godwit version ${packageVersion()}`
  const startedAtMs = clock.now()
  const number = (topicName: string, read: () => number): SysValue => new SysValue(topicName, () => String(read()))
  return [
    new SysValue('version', () => version),
    new SysValue('uptime', () => `${Math.floor((clock.now() - startedAtMs) / 1000)} seconds`),
    number('clients/connected', () => clients.size),
    number('clients/disconnected', () => Math.max(0, sessions.size - clients.size)),
    number('clients/total', () => sessions.size),
    number('subscriptions/count', () => subscriptions.count),
    number('retained messages/count', () => store.retainedCount),
    number('messages/received', () => traffic.packetsReceived),
    number('messages/sent', () => traffic.packetsSent),
    ...FATE_NAMES.map((fate) => number(`fates/${fate}`, () => fates.count(fate))),
    number('fates/total', () => fates.total),
    number('fates/clients-forgotten', () => fates.clients.forgotten),
    new SysValue('fates/recent', () => recentText(fates.latest(RECENT_DROPS_MAX)))
  ]
}

/** The latest comes first, as in the log of a terminal that is read from above. */
function recentText(drops: readonly Drop[]): string {
  const lines = drops.toReversed().map(({ atMs, ...drop }) => ({ time: new Date(atMs).toISOString(), ...drop }))
  return JSON.stringify(lines)
}
