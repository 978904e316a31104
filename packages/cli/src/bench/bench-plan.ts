import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type QoS, validateTopicName } from '@godwit/protocol'
import { connectionOf } from '../connection/connection.ts'
import type { ConnectionFlags } from '../connection/connection-flags.ts'
import { passwordOf } from '../connection/password.ts'
import { propertiesOf } from '../connection/properties.ts'
import { withoutSecrets } from '../connection/server-urls.ts'
import { milliseconds, qualityOfService, wholeNumber } from '../flag-values.ts'
import { Misuse, notAccepted } from '../misuse.ts'
import type { BenchFlags } from './bench-flags.ts'
import type { Load } from './load.ts'
import { DURABLE_MESSAGES_EACH, isScenarioName, type ScenarioName, SCENARIOS, TOUR } from './scenarios.ts'
import { STAMP_BYTES } from './stamp.ts'

export type BrokerName = 'A' | 'B'

/** A broker to measure. */
export interface Target {
  readonly name: BrokerName
  /** For each thread to make connections of: what functions are part of cannot be handed over. */
  readonly flags: ConnectionFlags
  /** Without secrets. */
  readonly url: string
  readonly pid: number | undefined
}

/** What the flags of `godwit bench` come to. */
export interface BenchPlan {
  readonly targets: readonly Target[]
  readonly loads: readonly Load[]
  readonly rounds: number
  readonly threads: number
}

const THREADS_DEFAULT_MAX = 4
const THREADS_MAX = 64
const CLIENTS_MAX = 1_000_000
const COUNT_MAX = 1_000_000_000
const PAYLOAD_BYTES_MAX = 256 * 1024 * 1024 - 1024
const COMPARE_ROUNDS = 5

/** Times in milliseconds, by what is to be shown. */
const TIMES = {
  one: { duration: 8_000, warmUp: 1_000 },
  tour: { duration: 1_000, warmUp: 300 },
  compare: { duration: 2_000, warmUp: 300 }
} as const

/** @throws {Misuse} */
export async function benchPlanOf(
  names: readonly string[],
  commandLine: BenchFlags,
  warn: (warning: string) => void
): Promise<BenchPlan> {
  const flags = await withPassword(commandLine)
  const { topics, ...target } = await targetOf('A', flags, flags.pid, warn)
  const targets: Target[] = [target]
  if (flags.compare !== undefined) targets.push(await otherTarget(flags, warn))
  else if (flags.comparePid !== undefined) throw new Misuse('--compare-pid goes with --compare')
  const rounds =
    flags.rounds === undefined ? (targets.length > 1 ? COMPARE_ROUNDS : 1) : wholeNumber('--rounds', flags.rounds, 1, 1_000)
  return { targets, loads: loadsOf(names, flags, topics), rounds, threads: threadsOf(flags.threads) }
}

/** A password that is asked for is asked for once. */
async function withPassword({ askPassword, ...flags }: BenchFlags): Promise<BenchFlags> {
  if (askPassword === undefined) return flags
  const password = (await passwordOf({ ...flags, askPassword }, process.env)) ?? ''
  return { ...flags, pw: typeof password === 'string' ? password : Buffer.from(password).toString() }
}

async function otherTarget(flags: BenchFlags, warn: (warning: string) => void): Promise<Target> {
  const { compare = '', host: _host, port: _port, unix: _unix, ...others } = flags
  try {
    const { topics: _topics, ...target } = await targetOf('B', { ...others, url: [compare] }, flags.comparePid, warn)
    return target
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    throw new Misuse(error.message.replace(/^--url /, '--compare '), { cause: error })
  }
}

async function targetOf(
  name: BrokerName,
  flags: BenchFlags,
  pid: string | undefined,
  warn: (warning: string) => void
): Promise<Target & { readonly topics: readonly string[] }> {
  // What is wrong is told before the first thread is started.
  const { urls, topics } = await connectionOf(flags, propertiesOf(undefined), warn)
  return {
    name,
    flags: connectionFlagsOf(flags),
    topics,
    url: urls.map(withoutSecrets).join(', '),
    pid: pid === undefined ? undefined : pidOf(name === 'A' ? '--pid' : '--compare-pid', pid)
  }
}

/** Those that threads need; the others need not be copied. */
function connectionFlagsOf(flags: BenchFlags): ConnectionFlags {
  const { json: _json, html: _html, save: _save, baseline: _baseline, quiet: _quiet, ...others } = flags
  return others
}

function pidOf(flag: string, text: string): number {
  const pid = wholeNumber(flag, text, 1, 0x7fff_ffff)
  if (process.platform !== 'linux') throw new Misuse(`${flag} needs Linux, where /proc tells of processes`)
  if (!existsSync(`/proc/${pid}/stat`)) throw new Misuse(`${flag} is ${pid}; there is no such process on this machine`)
  return pid
}

function threadsOf(text: string | undefined): number {
  if (text !== undefined) return wholeNumber('--threads', text, 1, THREADS_MAX)
  return Math.max(1, Math.min(availableParallelism() - 1, THREADS_DEFAULT_MAX))
}

function loadsOf(names: readonly string[], flags: BenchFlags, topics: readonly string[]): Load[] {
  const qos = flags.qos === undefined ? undefined : qualityOfService('--qos', flags.qos)
  const topic = flags.topic ?? topics[0] ?? `godwit-bench/${Math.random().toString(36).slice(2, 10)}`
  const reason = validateTopicName(topic)
  const isTour = names.length === 0
  const takesOthers = flags.publishers === '0'
  if (reason !== undefined && !takesOthers) {
    throw new Misuse(`--topic is ${JSON.stringify(topic)}, which is not a Topic Name: ${reason}`)
  }
  const cases = isTour
    ? TOUR.filter(({ scenario }, index) => qos === undefined || TOUR.findIndex((each) => each.scenario === scenario) === index)
    : names.map((name) => ({ scenario: scenarioOf(name), qos: 1 as const }))
  return cases.map((each) => loadOf(each.scenario, qos ?? each.qos, topic, flags, isTour))
}

function scenarioOf(name: string): ScenarioName {
  if (isScenarioName(name)) return name
  throw new Misuse(`scenario is ${JSON.stringify(name)}; accepted is ${Object.keys(SCENARIOS).join(', ')}`)
}

function loadOf(name: ScenarioName, wishedQos: QoS, topic: string, flags: BenchFlags, isTour: boolean): Load {
  // QoS 0 is kept for nobody.
  const qos = name === 'durable' && wishedQos === 0 ? 1 : wishedQos
  const { publishers, subscribers } = countsOf(name, flags)
  const times = TIMES[flags.compare !== undefined ? 'compare' : isTour ? 'tour' : 'one']
  const given = (flag: string, text: string | undefined, minimum: number, maximum: number): number | undefined =>
    text === undefined ? undefined : wholeNumber(flag, text, minimum, maximum)
  const messages = given('--messages', flags.messages, 1, COUNT_MAX)
  if (messages !== undefined && flags.duration !== undefined) throw new Misuse('either --messages or --duration, not both')
  const durationMs = flags.duration === undefined ? times.duration : milliseconds('--duration', flags.duration)
  if (durationMs === 0) throw notAccepted('--duration', flags.duration ?? '', 'a number of seconds above 0')
  return {
    scenario: name,
    qos,
    publishers,
    subscribers,
    payloadBytes: given('--payload-size', flags.payloadSize, STAMP_BYTES, PAYLOAD_BYTES_MAX) ?? 64,
    inflight: given('--inflight', flags.inflight, 1, 65_000) ?? SCENARIOS[name].inflight,
    ratePerSecond: given('--rate', flags.rate, 1, COUNT_MAX),
    messages: messages ?? (name === 'durable' ? DURABLE_MESSAGES_EACH * publishers : undefined),
    durationMs,
    warmUpMs: messages !== undefined ? 0 : flags.warmUp === undefined ? times.warmUp : milliseconds('--warm-up', flags.warmUp),
    holdMs: flags.hold === undefined ? 1_000 : milliseconds('--hold', flags.hold),
    topic
  }
}

function countsOf(name: ScenarioName, flags: BenchFlags): Pick<Load, 'publishers' | 'subscribers'> {
  const { clientsAre, hears, ...defaults } = SCENARIOS[name]
  const count = (flag: string, text: string, minimum: number): number => wholeNumber(flag, text, minimum, CLIENTS_MAX)
  let { publishers, subscribers } = defaults
  if (flags.clients !== undefined) {
    const clients = count('--clients', flags.clients, 1)
    if (clientsAre !== 'subscribers') publishers = clients
    if (clientsAre !== 'publishers') subscribers = clients
  }
  if (flags.publishers !== undefined) {
    if (name === 'connect') throw new Misuse('connect has no publishers; --clients says how many connect')
    publishers = count('--publishers', flags.publishers, name === 'subscribe' ? 0 : 1)
    if (publishers === 0 && flags.topic === undefined) throw new Misuse('--publishers 0 needs --topic: what others publish to')
  }
  if (flags.subscribers !== undefined) {
    if (name === 'publish') throw new Misuse('publish has no subscribers')
    subscribers = count('--subscribers', flags.subscribers, 1)
  }
  if (hears === 'own' && publishers !== subscribers) {
    throw new Misuse(`${name} has pairs of one publisher and one subscriber; --clients says how many`)
  }
  return { publishers, subscribers }
}
