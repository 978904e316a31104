import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { QoS } from './foreign-client.ts'
import { type Json, number, object, optional, parseObject, text } from './json.ts'
import { Mailbox, withinLimit } from './mailbox.ts'

/** What -V takes. */
export type MosquittoVersion = 'mqttv31' | 'mqttv311' | 'mqttv5'

/** A message as `mosquitto_sub -F %j` prints it. */
export interface PrintedMessage {
  readonly topicName: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  /** Under mosquitto's own names; empty if there are none. */
  readonly properties: Json
  /** The JSON as it came: an object may not show that a name came twice. */
  readonly printed: string
}

/** Whether this machine has the programs, and a stdbuf that has them print line by line into a pipe. */
export function hasMosquittoClients(): boolean {
  return ['mosquitto_pub', 'mosquitto_sub', 'stdbuf'].every(
    (program) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined
  )
}

/** Publishes as the flags say, and resolves once mosquitto_pub has ended well. */
export async function mosquittoPub(port: number, version: MosquittoVersion, flags: readonly string[], input = ''): Promise<void> {
  const child = spawn('mosquitto_pub', ['-p', `${port}`, '-V', version, ...flags], { stdio: ['pipe', 'ignore', 'pipe'] })
  // It need not read to the end: what it thinks of its input, its status says.
  child.stdin.on('error', () => {})
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdin.end(input)
  const status = await withinLimit(
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
    `mosquitto_pub ${flags.join(' ')}`
  )
  if (status !== 0) throw new Error(`mosquitto_pub ${flags.join(' ')} ended with ${status}: ${complaint}`)
}

/** One mosquitto_sub that runs until it is ended, or has what it came for. */
export class MosquittoSub {
  readonly received: Mailbox<PrintedMessage> = new Mailbox('a message for mosquitto_sub')
  /** Resolves with its status: 0 if it ended well; null: killed. */
  readonly exited: Promise<number | null>
  /** Resolves with the Reason Code of a DISCONNECT. */
  readonly disconnected: Promise<number>
  readonly #child: ChildProcessByStdio<null, Readable, null>
  readonly #subscribed = Promise.withResolvers<string>()
  readonly #disconnected = Promise.withResolvers<number>()

  private constructor(port: number, version: MosquittoVersion, flags: readonly string[]) {
    const args = ['-oL', 'mosquitto_sub', '-p', `${port}`, '-V', version, '-d', '-F', 'message %j', ...flags]
    this.#child = spawn('stdbuf', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.disconnected = this.#disconnected.promise
    this.exited = new Promise((resolve) => this.#child.once('exit', resolve))
    createInterface(this.#child.stdout).on('line', (line) => this.#onLine(line))
  }

  /** Resolves once SUBACK has come. */
  static async subscribe(
    port: number,
    version: MosquittoVersion,
    topicFilter: string,
    qos: QoS,
    flags: readonly string[] = []
  ): Promise<MosquittoSub> {
    const sub = new MosquittoSub(port, version, ['-t', topicFilter, '-q', `${qos}`, ...flags])
    const granted = await withinLimit(sub.#subscribed.promise, `SUBACK for ${topicFilter}`)
    if (granted !== `${qos}`) throw new Error(`${topicFilter} was granted QoS ${granted}`)
    return sub
  }

  /** Runs one to its end. */
  static async run(port: number, version: MosquittoVersion, flags: readonly string[]): Promise<number | null> {
    const sub = new MosquittoSub(port, version, flags)
    return withinLimit(sub.exited, `mosquitto_sub ${flags.join(' ')} to end`)
  }

  /** As the operating system does it: no DISCONNECT. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await withinLimit(this.exited, 'mosquitto_sub to end')
  }

  /** As Ctrl-C does it: with DISCONNECT, which in 5.0 asks for the Will Message (Reason Code 0x04). */
  async interrupt(): Promise<void> {
    this.#child.kill('SIGINT')
    await withinLimit(this.exited, 'mosquitto_sub to end')
  }

  #onLine(line: string): void {
    if (line.startsWith('message ')) this.received.push(toMessage(line.slice('message '.length)))
    const granted = /^Subscribed \(mid: \d+\): (\d+)/.exec(line)?.[1]
    if (granted !== undefined) this.#subscribed.resolve(granted)
    const reasonCode = /^Received DISCONNECT \((\d+)\)/.exec(line)?.[1]
    if (reasonCode !== undefined) this.#disconnected.resolve(Number(reasonCode))
  }
}

function toMessage(printed: string): PrintedMessage {
  const line = parseObject(printed)
  return {
    printed,
    topicName: text(line['topic'], 'topic'),
    payload: optional(line['payload'], 'payload', text) ?? '',
    qos: number(line['qos'], 'qos'),
    retain: line['retain'] === 1,
    properties: optional(line['properties'], 'properties', object) ?? {}
  }
}
