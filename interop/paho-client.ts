import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Address, ConnectOptions, ForeignClient, ForeignClients, Message, QoS } from './foreign-client.ts'
import { type Json, list, number, object, optional, parseObject, text } from './json.ts'
import { Mailbox, withinLimit } from './mailbox.ts'

/** The Python that has Eclipse Paho: Debian's package belongs to Debian's Python, which need not be the first in PATH. */
export function findPaho(): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', 'import paho.mqtt.client'], { stdio: 'ignore' }).status === 0
  )
}

interface PahoEvents {
  readonly received: Mailbox<Message>
  readonly closed: PromiseWithResolvers<number | undefined>
}

/** Eclipse Paho in one Python process, which holds all clients of a test file. */
export class Paho implements ForeignClients {
  readonly name = 'Paho Python'
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #clients = new Map<string, PahoEvents>()
  #commands = 0

  constructor(python: string) {
    this.#child = spawn(python, [join(import.meta.dirname, 'paho_client.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface(this.#child.stdout).on('line', (line) => this.#onLine(parseObject(line)))
  }

  async connect(address: Address, options: ConnectOptions): Promise<ForeignClient> {
    const client = `client-${this.#commands}`
    const events = {
      received: new Mailbox<Message>(`a message for ${options.clientId}`),
      closed: Promise.withResolvers<number | undefined>()
    }
    this.#clients.set(client, events)
    const { will } = options
    const sessionPresent = await this.command(client, 'connect', {
      ...options,
      port: options.transport === 'tcp' ? address.port : address.webSocketPort,
      will: will === undefined ? undefined : { ...will, payload: will.payload.toString('base64') }
    })
    return new PahoClient(this, client, sessionPresent === true, events)
  }

  async command(client: string, what: string, fields: Json): Promise<unknown> {
    const id = this.#commands++
    const answer = Promise.withResolvers<unknown>()
    this.#answers.set(id, answer)
    this.#child.stdin.write(`${JSON.stringify({ ...fields, id, client, do: what })}\n`)
    return withinLimit(answer.promise, `Paho to ${what}`)
  }

  close(): void {
    this.#child.kill('SIGKILL')
  }

  #onLine(line: Json): void {
    if (line['id'] !== undefined) {
      const answer = this.#answers.get(number(line['id'], 'id'))
      if (line['error'] === undefined) answer?.resolve(line['result'])
      else answer?.reject(new Error(`Paho: ${text(line['error'], 'error')}`))
      return
    }
    const events = this.#clients.get(text(line['client'], 'client'))
    if (line['event'] === 'message') events?.received.push(toMessage(line))
    else events?.closed.resolve(optional(line['reasonCode'], 'reasonCode', number))
  }
}

class PahoClient implements ForeignClient {
  readonly sessionPresent: boolean
  readonly received: Mailbox<Message>
  readonly closed: Promise<number | undefined>
  readonly #paho: Paho
  readonly #client: string

  constructor(paho: Paho, client: string, sessionPresent: boolean, { received, closed }: PahoEvents) {
    this.#paho = paho
    this.#client = client
    this.sessionPresent = sessionPresent
    this.received = received
    this.closed = closed.promise
  }

  async subscribe(topicFilter: string, qos: QoS, options = { subscriptionIdentifier: 0 }): Promise<number> {
    return number(await this.#paho.command(this.#client, 'subscribe', { topicFilter, qos, ...options }), 'granted')
  }

  async unsubscribe(topicFilter: string): Promise<void> {
    await this.#paho.command(this.#client, 'unsubscribe', { topicFilter })
  }

  async publish(message: Message): Promise<void> {
    const correlationData = message.properties.correlationData?.toString('base64')
    await this.#paho.command(this.#client, 'publish', {
      ...message,
      payload: message.payload.toString('base64'),
      properties: { ...message.properties, correlationData }
    })
  }

  async disconnect(): Promise<void> {
    await this.#end('disconnect')
  }

  async kill(): Promise<void> {
    await this.#end('kill')
  }

  async #end(how: string): Promise<void> {
    await this.#paho.command(this.#client, how, {})
    await withinLimit(this.closed, 'the end of a connection')
  }
}

function toMessage(line: Json): Message {
  const properties = object(line['properties'], 'properties')
  return {
    topicName: text(line['topicName'], 'topicName'),
    payload: Buffer.from(text(line['payload'], 'payload'), 'base64'),
    qos: toQoS(number(line['qos'], 'qos')),
    retain: line['retain'] === true,
    properties: {
      userProperties: list(properties['userProperties'], 'userProperties').map((pair): [string, string] => {
        const [name, value] = list(pair, 'user property')
        return [text(name, 'name'), text(value, 'value')]
      }),
      contentType: optional(properties['contentType'], 'contentType', text),
      responseTopic: optional(properties['responseTopic'], 'responseTopic', text),
      correlationData: optional(properties['correlationData'], 'correlationData', (value, field) =>
        Buffer.from(text(value, field), 'base64')
      ),
      messageExpiryInterval: optional(properties['messageExpiryInterval'], 'messageExpiryInterval', number),
      subscriptionIdentifiers: list(properties['subscriptionIdentifiers'], 'subscriptionIdentifiers').map((identifier) =>
        number(identifier, 'subscription identifier')
      )
    }
  }
}

function toQoS(value: number): QoS {
  if (value === 0 || value === 1 || value === 2) return value
  throw new TypeError(`QoS ${value}`)
}
