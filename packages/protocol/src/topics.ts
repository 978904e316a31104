import { MqttError } from './mqtt-error.ts'
import { ReasonCode } from './reason-codes.ts'

// Char codes: topics are walked, not split.
const SLASH = 0x2f
const PLUS = 0x2b
const HASH = 0x23
const DOLLAR = 0x24

const SHARED_PREFIX = '$share/'

/** A Shared Subscription's Topic Filter, taken apart ([5.0 4.8.2]). */
export interface SharedSubscription {
  readonly shareName: string
  /** What follows the ShareName: the filter that topic names are matched against. */
  readonly topicFilter: string
}

/** Why `topicName` is not a valid Topic Name ([5.0 4.7]), for people; undefined when it is one. */
export function validateTopicName(topicName: string): string | undefined {
  const reason = validateText(topicName, 'Topic Name')
  if (reason !== undefined) return reason
  // [5.0 MQTT-4.7.0-1], [3.1.1 MQTT-4.7.1-1]
  if (hasWildcard(topicName)) return 'a Topic Name must not contain the wildcards + and #'
  return undefined
}

/**
 * Why `topicFilter` is not a valid Topic Filter ([5.0 4.7], for `$share/` filters [5.0 4.8.2] as well), for people;
 * undefined when it is one.
 */
export function validateTopicFilter(topicFilter: string): string | undefined {
  return validateText(topicFilter, 'Topic Filter') ?? validateWildcards(topicFilter) ?? validateShare(topicFilter)
}

/** Whether a Topic Name or Topic Filter contains `+` or `#`. */
export function hasWildcard(topic: string): boolean {
  return topic.includes('+') || topic.includes('#')
}

/** The number of levels of a Topic Name or Topic Filter: one more than its slashes. */
export function topicLevels(topic: string): number {
  let levels = 1
  for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels++
  return levels
}

/** Whether `topicFilter` asks for a Shared Subscription, be it a valid one or not. */
export function isSharedSubscription(topicFilter: string): boolean {
  return topicFilter.startsWith(SHARED_PREFIX)
}

/**
 * Takes a Shared Subscription's Topic Filter apart.
 *
 * @returns undefined if `topicFilter` is not a Shared Subscription's
 * @throws {MqttError} Topic Filter invalid where `validateTopicFilter` would have told why
 */
export function parseSharedSubscription(topicFilter: string): SharedSubscription | undefined {
  if (!isSharedSubscription(topicFilter)) return undefined
  const reason = validateTopicFilter(topicFilter)
  if (reason !== undefined) throw new MqttError(ReasonCode.TopicFilterInvalid, `Invalid Topic Filter: ${reason}`)
  const shareNameEnd = topicFilter.indexOf('/', SHARED_PREFIX.length)
  return {
    shareName: topicFilter.slice(SHARED_PREFIX.length, shareNameEnd),
    topicFilter: topicFilter.slice(shareNameEnd + 1)
  }
}

/**
 * Whether `topicFilter` matches `topicName`, both valid; of a Shared Subscription pass the filter without its share.
 * Compares code units as they are: no normalization ([5.0 MQTT-4.7.3-4]).
 */
export function topicMatches(topicFilter: string, topicName: string): boolean {
  // [5.0 MQTT-4.7.2-1]: a wildcard at the start does not reach the topics that begin with $.
  if (topicName.charCodeAt(0) === DOLLAR && topicFilter.charCodeAt(0) !== DOLLAR) return false
  const filterEnd = topicFilter.length
  const nameEnd = topicName.length
  let filterAt = 0
  let nameAt = 0
  while (filterAt < filterEnd) {
    const wanted = topicFilter.charCodeAt(filterAt)
    if (wanted === HASH) return true
    if (wanted === PLUS) {
      filterAt++
      while (nameAt < nameEnd && topicName.charCodeAt(nameAt) !== SLASH) nameAt++
    } else if (nameAt < nameEnd && topicName.charCodeAt(nameAt) === wanted) {
      filterAt++
      nameAt++
    } else {
      // `sport/#` also matches its parent level, `sport` [5.0 4.7.1.2].
      return nameAt === nameEnd && wanted === SLASH && topicFilter.charCodeAt(filterAt + 1) === HASH
    }
  }
  return nameAt === nameEnd
}

function validateText(topic: string, kind: string): string | undefined {
  // [5.0 MQTT-4.7.3-1], [3.1.1 MQTT-4.7.3-1]
  if (topic.length === 0) return `a ${kind} must have at least one character`
  // [5.0 MQTT-4.7.3-2], [3.1.1 MQTT-4.7.3-2]
  if (topic.includes('\0')) return `a ${kind} must not contain U+0000`
  // [5.0 MQTT-1.5.4-1], [3.1.1 MQTT-1.5.3-1]
  if (!topic.isWellFormed()) return `a ${kind} must not contain surrogates`
  // [5.0 MQTT-4.7.3-3], [3.1.1 MQTT-4.7.3-3]
  if (utf8LengthExceeds65535(topic)) return `a ${kind} must not be longer than 65,535 bytes`
  return undefined
}

function utf8LengthExceeds65535(text: string): boolean {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  if (text.length * 3 <= 65_535) return false
  if (text.length > 65_535) return true
  let length = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff
    // A surrogate is half of a character of four bytes.
    length += unit <= 0x7f ? 1 : unit <= 0x7ff || isSurrogate ? 2 : 3
  }
  return length > 65_535
}

function validateWildcards(topicFilter: string): string | undefined {
  for (let at = 0; at < topicFilter.length; at++) {
    const unit = topicFilter.charCodeAt(at)
    if (unit !== HASH && unit !== PLUS) continue
    const beginsLevel = at === 0 || topicFilter.charCodeAt(at - 1) === SLASH
    // [5.0 MQTT-4.7.1-1], [3.1.1 MQTT-4.7.1-2]
    if (unit === HASH && (!beginsLevel || at + 1 !== topicFilter.length)) return '# must be a level of its own, and the last'
    const endsLevel = at + 1 === topicFilter.length || topicFilter.charCodeAt(at + 1) === SLASH
    // [5.0 MQTT-4.7.1-2], [3.1.1 MQTT-4.7.1-3]
    if (unit === PLUS && (!beginsLevel || !endsLevel)) return '+ must be a level of its own'
  }
  return undefined
}

function validateShare(topicFilter: string): string | undefined {
  if (!isSharedSubscription(topicFilter)) return undefined
  const shareNameEnd = topicFilter.indexOf('/', SHARED_PREFIX.length)
  // [5.0 MQTT-4.8.2-1]
  if (shareNameEnd === SHARED_PREFIX.length || topicFilter.length === SHARED_PREFIX.length) {
    return 'the ShareName of a Shared Subscription must have at least one character'
  }
  // [5.0 MQTT-4.8.2-2]
  if (shareNameEnd === -1 || shareNameEnd + 1 === topicFilter.length) {
    return 'the ShareName of a Shared Subscription must be followed by / and a Topic Filter'
  }
  if (hasWildcard(topicFilter.slice(SHARED_PREFIX.length, shareNameEnd))) {
    return 'the ShareName of a Shared Subscription must not contain + and #'
  }
  return undefined
}
