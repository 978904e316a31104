import type { ClientOptions, SubscribeOptions } from '@godwit/client'
import { isSharedSubscription, RetainHandling, validateTopicFilter } from '@godwit/protocol'
import type { Tell } from '../complain-of-client.ts'
import { connectionOf } from '../connection/connection.ts'
import { propertiesOf } from '../connection/properties.ts'
import { milliseconds, qualityOfService, wholeNumber } from '../flag-values.ts'
import { Misuse, notAccepted } from '../misuse.ts'
import { type Format, formatOf, type OutputPlace } from './output-format.ts'
import type { SubFlags } from './sub-flags.ts'

/** What the flags of `godwit sub` come to. */
export interface SubPlan {
  readonly urls: readonly string[]
  readonly options: ClientOptions
  readonly filters: readonly string[]
  readonly subscribeOptions: SubscribeOptions
  /** To be given up once the others are made. */
  readonly unsubscribe: readonly string[]
  readonly format: Format
  /** Topic Filters of what is not shown. */
  readonly filterOut: readonly string[]
  /** The share of messages to show, from 0 to 1. */
  readonly chance: number
  readonly countMax: number
  readonly timeoutMs: number | undefined
  readonly idleMs: number | undefined
  readonly until: Uint8Array | undefined
  readonly sessionExpirySeconds: number | undefined
}

const COUNT_MAX = Number.MAX_SAFE_INTEGER

/** @throws {Misuse} */
export async function subPlanOf(args: readonly string[], flags: SubFlags, place: OutputPlace, tell: Tell): Promise<SubPlan> {
  const given = propertiesOf(flags.property)
  if (Object.keys(given.publish).length > 0) throw new Misuse('-D PUBLISH is for pub and request: sub publishes nothing')
  const { urls, topics, options } = await connectionOf(flags, given, tell)
  const filters = [...new Set([...args, ...(flags.topic ?? []), ...topics])]
  const { unsubscribe = [], filterOut = [], retainHandling, disableCleanSession, freshOnly, retainedOnly } = flags
  for (const filter of [...filters, ...unsubscribe]) checkFilter('the Topic Filter', filter)
  for (const filter of filterOut) checkFilter('--filter-out', filter)
  if (filters.length === 0 && unsubscribe.length === 0) throw new Misuse('a Topic Filter is missing: an argument, or --topic')
  if (unsubscribe.length > 0 && disableCleanSession !== true) {
    throw new Misuse('--unsubscribe is for a session that was kept: it goes with --disable-clean-session and --id')
  }
  if (freshOnly === true && retainedOnly === true) throw new Misuse('--fresh-only and --retained-only leave nothing to show')
  const { count, timeout, idle, until, randomFilter } = flags
  return {
    urls,
    options,
    filters,
    subscribeOptions: {
      qos: flags.qos === undefined ? 0 : qualityOfService('--qos', flags.qos),
      noLocal: flags.local === false,
      retainAsPublished: flags.retainAsPublished === true,
      retainHandling: retainHandling === undefined ? undefined : retainHandlingOf(retainHandling),
      userProperties: given.subscribe.userProperties,
      acknowledge: 'manual'
    },
    unsubscribe,
    format: formatOf(flags, place, tell),
    filterOut,
    chance: randomFilter === undefined ? 1 : chanceOf(randomFilter),
    countMax: count === undefined ? Infinity : wholeNumber('--count', count, 1, COUNT_MAX),
    timeoutMs: timeout === undefined ? undefined : milliseconds('--timeout', timeout),
    idleMs: idle === undefined ? undefined : milliseconds('--idle', idle),
    until: until === undefined ? undefined : Buffer.from(until),
    sessionExpirySeconds: given.disconnect.sessionExpirySeconds
  }
}

function checkFilter(what: string, filter: string): void {
  const reason = validateTopicFilter(filter)
  if (reason !== undefined) throw new Misuse(`${what} is ${JSON.stringify(filter)}: ${reason}`)
  if (what === '--filter-out' && isSharedSubscription(filter)) {
    throw new Misuse(`--filter-out is ${JSON.stringify(filter)}: messages have no share; leave it out`)
  }
}

function retainHandlingOf(text: string): RetainHandling {
  switch (text) {
    case 'always':
      return RetainHandling.SendAtSubscribe
    case 'new':
      return RetainHandling.SendIfNew
    case 'never':
      return RetainHandling.DoNotSend
    default:
      throw notAccepted('--retain-handling', text, 'always, new or never')
  }
}

function chanceOf(text: string): number {
  const percent = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (percent >= 0.1 && percent <= 100) return percent / 100
  throw notAccepted('--random-filter', text, 'a percentage from 0.1 to 100')
}
