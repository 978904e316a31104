import { type Authenticator, type ClientOptions, scramSha256 } from '@godwit/client'
import { ProtocolVersion } from '@godwit/protocol'
import { qualityOfService, wholeNumber } from '../flag-values.ts'
import { Misuse, notAccepted } from '../misuse.ts'
import type { ConnectionFlags } from './connection-flags.ts'
import { passwordOf } from './password.ts'
import { withProfile } from './profiles.ts'
import type { GivenProperties } from './properties.ts'
import { serversOf } from './server-urls.ts'

/** How to connect, as flags, a profile and the environment say. */
export interface Connection {
  readonly urls: readonly string[]
  /** What the URLs name behind the host. */
  readonly topics: readonly string[]
  readonly options: ClientOptions
}

const NEVER = 0xffff_ffff

/** With or without letters: what mosquitto's clients take. */
const VERSIONS: Readonly<Record<string, ProtocolVersion>> = {
  '5': ProtocolVersion.Mqtt5,
  '5.0': ProtocolVersion.Mqtt5,
  mqttv5: ProtocolVersion.Mqtt5,
  '311': ProtocolVersion.Mqtt311,
  '3.1.1': ProtocolVersion.Mqtt311,
  mqttv311: ProtocolVersion.Mqtt311,
  '31': ProtocolVersion.Mqtt31,
  '3.1': ProtocolVersion.Mqtt31,
  mqttv31: ProtocolVersion.Mqtt31
}

/**
 * @param given what `-D` says; if anything, then 5.0 is spoken or nothing
 * @param warn told what the user should know before
 * @throws {Misuse}
 */
export async function connectionOf(
  commandLine: ConnectionFlags & { readonly property?: readonly string[] | undefined },
  given: GivenProperties,
  warn: (warning: string) => void,
  environment: NodeJS.ProcessEnv = process.env
): Promise<Connection> {
  const flags = withProfile(commandLine, environment, warn)
  const { urls, topics } = serversOf(flags)
  const password = await passwordOf(flags, environment)
  const protocolVersion = versionOf(flags.protocolVersion)
  const authentication = authenticationOf(flags, given, password)
  if (protocolVersion !== undefined && protocolVersion !== ProtocolVersion.Mqtt5) {
    if (flags.property !== undefined) throw new Misuse('-D needs 5.0: -V mqttv5, or no -V')
    if (authentication !== undefined) throw new Misuse('--scram needs 5.0: -V mqttv5, or no -V')
  }
  // What an older version cannot say must not be lost by falling back.
  const needs5 =
    flags.property !== undefined || authentication !== undefined || (password !== undefined && flags.username === undefined)
  const { userProperties, receiveMaximum, maximumPacketSize, topicAliasMaximum } = given.connect
  const options: ClientOptions = {
    clientId: clientIdOf(flags),
    userName: flags.username,
    password: authentication === undefined ? password : undefined,
    authentication,
    protocolVersion,
    fallBack: protocolVersion === undefined && !needs5,
    ...sessionOf(flags, given),
    keepAliveSeconds: flags.keepalive === undefined ? undefined : wholeNumber('--keepalive', flags.keepalive, 0, 65_535),
    receiveMaximum,
    maximumPacketSize,
    topicAliasMaximum,
    userProperties,
    will: willOf(flags, given),
    tls: await tlsOf(flags)
  }
  return { urls, topics, options }
}

/** Loads what TLS needs only where there is something to say of it. */
async function tlsOf(flags: ConnectionFlags): Promise<ClientOptions['tls']> {
  const { cafile, capath, tlsUseOsCerts, cert, key, insecure, tlsAlpn, tlsVersion, ciphers } = flags
  const isSaid = [cafile, capath, tlsUseOsCerts, cert, key, insecure, tlsAlpn, tlsVersion, ciphers].some(
    (flag) => flag !== undefined
  )
  return isSaid ? (await import('./tls-options.ts')).tlsOptionsOf(flags) : undefined
}

function versionOf(text: string | undefined): ProtocolVersion | undefined {
  if (text === undefined) return undefined
  const version = Object.hasOwn(VERSIONS, text) ? VERSIONS[text] : undefined
  if (version === undefined) throw notAccepted('--protocol-version', text, 'mqttv5, mqttv311 or mqttv31')
  return version
}

function clientIdOf({ id, idPrefix }: ConnectionFlags): string | undefined {
  if (id !== undefined && idPrefix !== undefined) throw new Misuse('either --id or --id-prefix, not both')
  return idPrefix === undefined ? id : `${idPrefix}${process.pid}`
}

function sessionOf(
  { disableCleanSession, sessionExpiryInterval, id }: ConnectionFlags,
  { connect }: GivenProperties
): Pick<ClientOptions, 'cleanStart' | 'sessionExpirySeconds'> {
  const expiry = sessionExpiryInterval === undefined ? connect.sessionExpirySeconds : sessionExpiryOf(sessionExpiryInterval)
  if (disableCleanSession !== true) return { sessionExpirySeconds: expiry }
  if (id === undefined) throw new Misuse('--disable-clean-session needs --id: the session is found by it the next time')
  return { cleanStart: false, sessionExpirySeconds: expiry ?? NEVER }
}

function sessionExpiryOf(text: string): number {
  return text === '-1' || text === '∞' ? NEVER : wholeNumber('--session-expiry-interval', text, 0, NEVER)
}

function willOf(flags: ConnectionFlags, { will }: GivenProperties): ClientOptions['will'] {
  const { willTopic, willPayload, willQos, willRetain } = flags
  if (willTopic === undefined) {
    const lonely = (willPayload ?? willQos ?? willRetain) !== undefined || Object.keys(will).length > 0
    if (lonely) throw new Misuse('--will-topic is missing, which the rest of a Will Message needs')
    return undefined
  }
  const qos = willQos === undefined ? 0 : qualityOfService('--will-qos', willQos)
  return { ...will, topic: willTopic, payload: willPayload ?? '', qos, retain: willRetain === true }
}

function authenticationOf(
  { scram, username, url: [url] = [] }: ConnectionFlags,
  { connect: { authenticationMethod: method, authenticationData: data } }: GivenProperties,
  password: string | Uint8Array | undefined
): Authenticator | undefined {
  if (scram === true) {
    if (method !== undefined) throw new Misuse('either --scram or -D CONNECT authentication-method, not both')
    const inUrl = url !== undefined && URL.canParse(url) ? new URL(url) : undefined
    const userName = username ?? decodeURIComponent(inUrl?.username ?? '')
    const proof = password ?? decodeURIComponent(inUrl?.password ?? '')
    if (userName === '' || proof.length === 0) throw new Misuse('--scram needs a user name and a password')
    return scramSha256({ userName, password: typeof proof === 'string' ? proof : Buffer.from(proof).toString() })
  }
  if (method === undefined) {
    if (data !== undefined) throw new Misuse('-D CONNECT authentication-data needs authentication-method')
    return undefined
  }
  // One that says its piece and leaves the verdict to the server.
  return { method, begin: () => data, respond: () => undefined, finish: () => undefined }
}
