import type { UserProperty } from '@godwit/protocol'
import { wholeNumber } from '../flag-values.ts'
import { Misuse } from '../misuse.ts'

/** What `-D PUBLISH` may say. */
interface GivenMessageProperties {
  isUtf8?: boolean
  expirySeconds?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  userProperties?: UserProperty[]
}

/** What `-D` says, by packet. */
export interface GivenProperties {
  readonly connect: {
    sessionExpirySeconds?: number
    receiveMaximum?: number
    maximumPacketSize?: number
    topicAliasMaximum?: number
    authenticationMethod?: string
    authenticationData?: Uint8Array
    userProperties?: UserProperty[]
  }
  readonly publish: GivenMessageProperties
  readonly will: GivenMessageProperties & { delaySeconds?: number }
  readonly subscribe: { userProperties?: UserProperty[] }
  readonly disconnect: { sessionExpirySeconds?: number }
}

/** What lies between the words of a property, once they are one argument: no argument can hold it. */
const BETWEEN_WORDS = '\0'

const UINT32_MAX = 0xffff_ffff

/** By name: what takes a value, of user-property the name and then its value, into what is given. */
type Setters<Properties> = Readonly<
  Record<string, (into: Properties, text: string, flag: string, second: string | undefined) => void>
>

const USER: Setters<{ userProperties?: UserProperty[] }> = {
  'user-property': (into, name, flag, value) => {
    if (value === undefined) throw new Misuse(`${flag} takes a name and a value`)
    into.userProperties = [...(into.userProperties ?? []), [name, value]]
  }
}

const MESSAGE: Setters<GivenMessageProperties> = {
  ...USER,
  'payload-format-indicator': (into, text, flag) => (into.isUtf8 = wholeNumber(flag, text, 0, 1) === 1),
  'message-expiry-interval': (into, text, flag) => (into.expirySeconds = wholeNumber(flag, text, 1, UINT32_MAX)),
  'content-type': (into, text) => (into.contentType = text),
  'response-topic': (into, text) => (into.responseTopic = text),
  'correlation-data': (into, text) => (into.correlationData = Buffer.from(text))
}

const SETTERS: { readonly [Packet in keyof GivenProperties]: Setters<GivenProperties[Packet]> } = {
  connect: {
    ...USER,
    'session-expiry-interval': (into, text, flag) => (into.sessionExpirySeconds = wholeNumber(flag, text, 0, UINT32_MAX)),
    'receive-maximum': (into, text, flag) => (into.receiveMaximum = wholeNumber(flag, text, 1, 65_535)),
    'maximum-packet-size': (into, text, flag) => (into.maximumPacketSize = wholeNumber(flag, text, 1, UINT32_MAX)),
    'topic-alias-maximum': (into, text, flag) => (into.topicAliasMaximum = wholeNumber(flag, text, 0, 65_535)),
    'authentication-method': (into, text) => (into.authenticationMethod = text),
    'authentication-data': (into, text) => (into.authenticationData = Buffer.from(text))
  },
  publish: MESSAGE,
  will: {
    ...MESSAGE,
    'will-delay-interval': (into, text, flag) => (into.delaySeconds = wholeNumber(flag, text, 0, UINT32_MAX))
  },
  subscribe: USER,
  // The client's own; it has no User Properties.
  disconnect: {
    'session-expiry-interval': (into, text, flag) => (into.sessionExpirySeconds = wholeNumber(flag, text, 0, UINT32_MAX))
  }
}

/** The client sees to these by itself, whatever anyone asks for. */
const AUTOMATIC: ReadonlySet<string> = new Set([
  'topic-alias',
  'subscription-identifier',
  'request-problem-information',
  'request-response-information'
])

/**
 * `-D` takes two words and a value, and with user-property a name before the value; commander counts no further than one. Makes one
 * argument of them before it looks, and leaves the values of other flags alone.
 *
 * @param takesValue whether an argument is a flag that takes the next one as its value
 */
export function joinProperties(args: readonly string[], takesValue: (arg: string) => boolean): string[] {
  const joined: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') return [...joined, ...args.slice(at)]
    joined.push(arg)
    if (at + 1 === args.length || !takesValue(arg)) continue
    const isProperty = arg === '-D' || arg === '--property'
    const count = isProperty ? (args[at + 2] === 'user-property' ? 4 : 3) : 1
    joined.push(args.slice(at + 1, at + 1 + count).join(BETWEEN_WORDS))
    at += count
  }
  return joined
}

/**
 * What `-D` says.
 *
 * @param flags as `joinProperties` left them
 * @throws {Misuse}
 */
export function propertiesOf(flags: readonly string[] = []): GivenProperties {
  const given: GivenProperties = { connect: {}, publish: {}, will: {}, subscribe: {}, disconnect: {} }
  for (const flag of flags) {
    const [packet = '', name = '', ...values] = flag.split(BETWEEN_WORDS)
    switch (packet.toUpperCase()) {
      case 'CONNECT':
        setProperty(given.connect, SETTERS.connect, packet, name, values)
        break
      case 'PUBLISH':
        setProperty(given.publish, SETTERS.publish, packet, name, values)
        break
      case 'WILL':
        setProperty(given.will, SETTERS.will, packet, name, values)
        break
      case 'SUBSCRIBE':
        setProperty(given.subscribe, SETTERS.subscribe, packet, name, values)
        break
      case 'DISCONNECT':
        setProperty(given.disconnect, SETTERS.disconnect, packet, name, values)
        break
      default:
        throw new Misuse(`-D ${packet}: accepted is CONNECT, PUBLISH, WILL, SUBSCRIBE or DISCONNECT`)
    }
  }
  return given
}

function setProperty<Properties>(
  into: Properties,
  setters: Setters<Properties>,
  packet: string,
  name: string,
  [first, second]: readonly string[]
): void {
  const flag = `-D ${packet} ${name}`
  if (AUTOMATIC.has(name)) throw new Misuse(`${flag}: Godwit sees to that by itself`)
  const set = setters[name]
  if (set === undefined) throw new Misuse(`${flag}: accepted is ${Object.keys(setters).join(', ')}`)
  if (first === undefined) throw new Misuse(`${flag} takes a value`)
  set(into, first, flag, second)
}
