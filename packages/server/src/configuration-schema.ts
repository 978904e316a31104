import { isIP } from 'node:net'
import { type LimitName, LIMITS, SHARE_STRATEGIES, type ShareStrategy, SYS_INTERVAL_SECONDS_MAX } from '@godwit/broker'
import { IO_THREADS_MAX } from '@godwit/transport'
import { z } from 'zod'
import type { Configuration } from './configuration.ts'
import { historyRules } from './history-configuration.ts'
import { listenerName, overflowRules, wrongNames } from './overflow-configuration.ts'
import { isPasswordHash } from './password-hash.ts'

/** Where the program listens when it is not told: on loopback, by the port that MQTT has been given. */
export const DEFAULT_LISTENERS = [{ kind: 'tcp', host: '127.0.0.1', port: 1883 }] as const

declare module 'zod' {
  interface GlobalMeta {
    /** What a text has to be, for error messages and the reference: `accepted is ...`. */
    accepts?: string
    /** Must not appear in messages. */
    secret?: boolean
    /** What applies when the key is absent and the default depends on others. */
    otherwise?: string
  }
}

function wholeNumber(min: number, max: number): z.ZodNumber {
  return z.int().min(min).max(max)
}

function text(accepts: string, isAccepted: (value: string) => boolean = isNotEmpty): z.ZodString {
  return z.string().refine(isAccepted).meta({ accepts })
}

function isNotEmpty(value: string): boolean {
  return value !== ''
}

const host = text('an address of this machine or a name for one', (value) => /^[^\s/@[\]]+$/.test(value)).default('127.0.0.1')

const origins = (unconfigured: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  z
    .array(text('an origin such as https://example.org', isOrigin))
    .optional()
    .describe('Web origins whose pages may connect; programs send none and are let in')
    .meta({ otherwise: `any if access is configured, else ${unconfigured}` })

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value.toLowerCase()
}

function isAddressRange(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

const absolutePath = (accepts: string): z.ZodString => text(accepts, (value) => /^\/[\x21-\x22\x24-\x3e\x40-\x7e]*$/.test(value))
const webSocketPath = absolutePath('a path that begins with /').default('/mqtt')

const backlog = wholeNumber(1, 65_535)
  .optional()
  .describe('Connections that the operating system holds until they are accepted')
  .meta({ otherwise: '4096' })

const network = {
  name: listenerName,
  host: host.describe('The address to listen on; 0.0.0.0 or :: for all'),
  port: wholeNumber(0, 65_535).describe('The port; 0 lets the operating system choose'),
  keepAliveSeconds: wholeNumber(0, 86_400)
    .optional()
    .describe('Idle seconds before TCP probes whether the client is still there; 0: never')
    .meta({ otherwise: '60' }),
  handshakeTimeoutSeconds: wholeNumber(1, 600)
    .optional()
    .describe('Seconds for PROXY header, TLS handshake and WebSocket upgrade together')
    .meta({ otherwise: '10' }),
  proxyProtocol: z
    .strictObject({
      trustedProxies: z
        .array(text('an address, or a range such as 10.0.0.0/8', isAddressRange))
        .describe('Addresses and ranges of the proxies; an empty list believes anyone')
    })
    .optional()
    .describe('If present, each connection must begin with a PROXY protocol header, version 1 or 2'),
  backlog
}

const tls = {
  certificateFile: text('the path of a PEM file').describe("The server's certificate, followed by intermediate certificates"),
  keyFile: text('the path of a PEM file').describe("The certificate's private key"),
  keyPassphraseFile: text('the path of a text file').optional().describe('Holds the passphrase of an encrypted key, on one line'),
  caFile: text('the path of a PEM file').optional().describe('The authorities whose client certificates are accepted'),
  clientCertificates: z
    .enum(['none', 'requested', 'required'])
    .default('none')
    .describe('`requested`: a certificate must be valid if there is one; `required`: there must be one'),
  minimumTlsVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('The oldest version of TLS to speak')
}

const webSocket = {
  path: webSocketPath.describe('The path of the URL'),
  allowedOrigins: origins('none'),
  maxMessageBytes: wholeNumber(128, 268_435_460)
    .optional()
    .describe('Bytes of a WebSocket message; a larger one closes the connection')
    .meta({ otherwise: '1048576, or limits.packetBytesMax if that is more' })
}

const unix = {
  name: listenerName,
  path: text('a path').describe('Where the socket file is made'),
  mode: text("three octal digits in quotes, such as '660'", (value) => /^0?[0-7]{3}$/.test(value))
    .optional()
    .describe('Permissions of the socket file; to connect is to write')
    .meta({ otherwise: "what the process's umask leaves" }),
  backlog
}

const listener = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tcp'), ...network }).meta({ title: 'MQTT over TCP' }),
  z.strictObject({ kind: z.literal('tls'), ...network, ...tls }).meta({ title: 'MQTT over TLS' }),
  z.strictObject({ kind: z.literal('websocket'), ...network, ...webSocket }).meta({ title: 'MQTT over WebSocket' }),
  z
    .strictObject({ kind: z.literal('secure-websocket'), ...network, ...tls, ...webSocket })
    .meta({ title: 'MQTT over WebSocket and TLS' }),
  z.strictObject({ kind: z.literal('unix'), ...unix }).meta({ title: 'MQTT over a Unix socket' })
])

const http = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether to listen for HTTP: /health, and WebSocket'),
  host: host.describe('The address to listen on; 0.0.0.0 or :: for all'),
  port: wholeNumber(0, 65_535).default(8083).describe('The port; 0 lets the operating system choose'),
  webSocket: z.boolean().default(true).describe('Whether clients may connect here over WebSocket'),
  webSocketPath: webSocketPath.describe("The path of the WebSocket's URL"),
  allowedOrigins: origins('those of this machine')
})

const user = z.strictObject({
  name: text('a user name').describe('The User Name of CONNECT'),
  passwordHash: text('a line that `godwit hash-password` made', isPasswordHash)
    .describe('The hash of the password; the password itself is written nowhere')
    .meta({ accepts: 'a line that `godwit hash-password` made', secret: true })
})

const access = z.strictObject({
  anonymous: z
    .boolean()
    .optional()
    .describe('Whether clients without a User Name may connect; without users, whether everybody may')
    .meta({ otherwise: 'true as long as there are no users and nobody but this machine can connect' }),
  users: z
    .array(user)
    .default([])
    .check(({ value, issues }) => {
      for (const [index, { name }] of value.entries()) {
        if (value.findIndex((other) => other.name === name) === index) continue
        issues.push({ code: 'custom', input: name, path: [index, 'name'], message: 'a name that no other user has' })
      }
    })
    .describe('Who may connect with User Name and Password')
})

const limit = (name: LimitName): z.ZodDefault<z.ZodNumber> =>
  wholeNumber(LIMITS[name].min, LIMITS[name].max).default(LIMITS[name].default).describe(capitalized(LIMITS[name].purpose))

function capitalized(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1)
}

function hasEveryLimit<Value>(shape: Partial<Record<LimitName, Value>>): shape is Record<LimitName, Value> {
  return Object.keys(LIMITS).every((name) => Object.hasOwn(shape, name))
}

function limits(): z.ZodObject<Record<LimitName, z.ZodDefault<z.ZodNumber>>, z.core.$strict> {
  const shape: Partial<Record<LimitName, z.ZodDefault<z.ZodNumber>>> = {}
  for (const name of Object.keys(LIMITS)) if (isLimitName(name)) shape[name] = limit(name)
  if (!hasEveryLimit(shape)) throw new Error('a limit lacks its schema')
  return z.strictObject(shape)
}

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(LIMITS, name)
}

const features = z.strictObject({
  maximumQoS: z.literal([0, 1, 2]).default(2).describe('The highest QoS that clients may publish with'),
  retainAvailable: z.boolean().default(true).describe('Whether messages may be retained'),
  wildcardSubscriptionAvailable: z.boolean().default(true).describe('Whether topic filters may have + and #'),
  subscriptionIdentifiersAvailable: z.boolean().default(true).describe('Whether subscriptions may have an identifier'),
  sharedSubscriptionAvailable: z.boolean().default(true).describe('Whether clients may share a subscription: $share/NAME/FILTER')
})

const shareStrategies = Object.keys(SHARE_STRATEGIES).filter((name): name is ShareStrategy =>
  Object.hasOwn(SHARE_STRATEGIES, name)
)

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The least that is logged; `info` has each client that comes and goes'),
  format: z.enum(['text', 'json']).default('text').describe('Lines for people, or a JSON object in each for programs')
})

/** The configuration file, and what an API may accept one day. Keys have descriptions, defaults and bounds: the reference is made from them. */
export const configurationSchema: z.ZodType<Configuration> = z
  .strictObject({
    listeners: z
      .array(listener)
      .default(() => [...DEFAULT_LISTENERS])
      .describe('Where clients connect: any number, of any kind; if absent, TCP on 127.0.0.1, port 1883'),
    http: http.prefault({}).describe('One port for /health and WebSocket'),
    ioThreads: wholeNumber(0, IO_THREADS_MAX)
      .default(0)
      .describe('Threads for sockets, TLS and WebSocket of the listeners; 0: all on the thread that routes (scaling.md)'),
    data: text('the path of a directory')
      .optional()
      .describe('Where the durable store is, for this broker alone; made if it is not there')
      .meta({ otherwise: '`godwit-data` in the working directory, unless `memory`' }),
    memory: z
      .boolean()
      .default(false)
      .describe(
        'Whether to keep everything in memory: nothing survives a restart, and what is acknowledged is lost with the process'
      ),
    onDamagedData: z
      .enum(['stop', 'set-aside'])
      .default('stop')
      .describe('Data that does not hold what was written: stop, or keep it aside and begin with an empty store'),
    access: access.prefault({}).describe('Who may connect'),
    limits: limits().prefault({}).describe('How much of everything; what 5.0 clients must know, CONNACK tells them'),
    features: features.prefault({}).describe('What clients may use; CONNACK tells 5.0 clients of what is switched off'),
    shareStrategy: z
      .enum(shareStrategies)
      .default('round-robin')
      .describe('How shared subscriptions choose a member for a message'),
    responseInformation: text('text')
      .optional()
      .describe('What 5.0 clients get that ask for Response Information: the beginning of their response topics'),
    unauthorizedPublishMqtt3: z
      .enum(['acknowledge', 'close'])
      .default('acknowledge')
      .describe('A PUBLISH of a 3.1 or 3.1.1 client that is not authorized: acknowledge and drop it, or close the connection'),
    refusedPublishMqtt3: z
      .enum(['acknowledge', 'close'])
      .default('close')
      .describe(
        'A PUBLISH of a 3.1 or 3.1.1 client that an overflow rule refuses: acknowledge and drop it, or close the connection'
      ),
    overflow: overflowRules
      .default([])
      .describe('What to do about messages that wait for a session; the first rule that applies to it counts (overflow.md)'),
    history: historyRules
      .default([])
      .describe('Of which topics messages are kept for clients that come later, and for how long (history.md)'),
    sysIntervalSeconds: wholeNumber(0, SYS_INTERVAL_SECONDS_MAX)
      .default(10)
      .describe('Seconds from one value to the next on each of the topics under $SYS/ (fates.md); 0: there are none'),
    log: log.prefault({}).describe('What is logged, to standard error')
  })
  .check(({ value, issues }) => {
    if (value.memory && value.data !== undefined) {
      issues.push({ code: 'custom', input: value.data, path: ['data'], message: 'either `data` or `memory: true`, not both' })
    }
    for (const { path, name, accepted } of wrongNames(value.listeners, value.overflow)) {
      issues.push({ code: 'custom', input: name, path, message: accepted })
    }
  })
