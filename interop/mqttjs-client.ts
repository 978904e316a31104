import mqtt, { type IClientOptions, type IClientPublishOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { ConnectOptions, ForeignClient, ForeignClients, Message, MessageProperties } from './foreign-client.ts'
import { Mailbox, withinLimit } from './mailbox.ts'

/** MQTT.js, in this process. */
export const mqttJs: ForeignClients = {
  name: 'MQTT.js',
  async connect({ port, webSocketPort }, options) {
    const url = options.transport === 'tcp' ? `mqtt://127.0.0.1:${port}` : `ws://127.0.0.1:${webSocketPort}/mqtt`
    const client = mqtt.connect(url, clientOptions(options))
    // Before CONNACK: what waits in the session follows it at once.
    const received = new Mailbox<Message>(`a message for ${options.clientId}`)
    client.on('message', (topicName, payload, packet) => received.push(toMessage(topicName, payload, packet)))
    const closed = Promise.withResolvers<number | undefined>()
    client.once('disconnect', ({ reasonCode }) => closed.resolve(reasonCode))
    client.once('close', () => closed.resolve(undefined))
    const connected = Promise.withResolvers<boolean>()
    client.once('connect', ({ sessionPresent }) => connected.resolve(sessionPresent))
    client.on('error', connected.reject)
    const sessionPresent = await withinLimit(connected.promise, `CONNACK for ${options.clientId}`)
    return new MqttJsClient(client, sessionPresent, received, closed.promise)
  }
}

class MqttJsClient implements ForeignClient {
  readonly sessionPresent: boolean
  readonly received: Mailbox<Message>
  readonly closed: Promise<number | undefined>
  readonly #client: MqttClient

  constructor(client: MqttClient, sessionPresent: boolean, received: Mailbox<Message>, closed: Promise<number | undefined>) {
    this.#client = client
    this.sessionPresent = sessionPresent
    this.received = received
    this.closed = closed
  }

  async subscribe(topicFilter: string, qos: 0 | 1 | 2, options = { subscriptionIdentifier: 0 }): Promise<number> {
    const { subscriptionIdentifier } = options
    const properties = subscriptionIdentifier > 0 ? { properties: { subscriptionIdentifier } } : {}
    const subscribed = this.#client.subscribeAsync(topicFilter, { qos, ...properties })
    const [grant] = await withinLimit(subscribed, `SUBACK for ${topicFilter}`)
    if (grant === undefined) throw new Error(`SUBACK for ${topicFilter} came without a Reason Code`)
    return grant.qos
  }

  async unsubscribe(topicFilter: string): Promise<void> {
    await withinLimit(this.#client.unsubscribeAsync(topicFilter), `UNSUBACK for ${topicFilter}`)
  }

  async publish({ topicName, payload, qos, retain, properties }: Message): Promise<void> {
    const given = this.#client.options.protocolVersion === 5 ? { properties: toPublishProperties(properties) } : {}
    const published = this.#client.publishAsync(topicName, payload, { qos, retain, ...given })
    await withinLimit(published, `the end of a QoS ${qos} exchange`)
  }

  async disconnect(): Promise<void> {
    await withinLimit(this.#client.endAsync(), 'the end of a connection')
  }

  async kill(): Promise<void> {
    this.#client.stream.destroy()
    await withinLimit(this.closed, 'the end of a connection')
    await this.#client.endAsync(true)
  }
}

function clientOptions(options: ConnectOptions): IClientOptions {
  const { clientId, protocolVersion, cleanStart, sessionExpirySeconds, will } = options
  return {
    clientId,
    protocolVersion,
    protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    clean: cleanStart,
    reconnectPeriod: 0,
    ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: sessionExpirySeconds } } : {}),
    ...(will === undefined ? {} : { will: { topic: will.topicName, payload: will.payload, qos: will.qos, retain: will.retain } })
  }
}

function toPublishProperties(properties: MessageProperties): NonNullable<IClientPublishOptions['properties']> {
  const userProperties: Record<string, string[]> = {}
  for (const [name, value] of properties.userProperties) (userProperties[name] ??= []).push(value)
  const { contentType, responseTopic, correlationData, messageExpiryInterval } = properties
  return {
    ...(properties.userProperties.length > 0 ? { userProperties } : {}),
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlationData === undefined ? {} : { correlationData }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiryInterval })
  }
}

function toMessage(topicName: string, payload: Buffer, { qos, retain, properties = {} }: IPublishPacket): Message {
  const { userProperties = {}, subscriptionIdentifier = [] } = properties
  return {
    topicName,
    payload,
    qos,
    retain,
    properties: {
      userProperties: Object.entries(userProperties).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, value])
      ),
      contentType: properties.contentType,
      responseTopic: properties.responseTopic,
      correlationData: properties.correlationData,
      messageExpiryInterval: properties.messageExpiryInterval,
      subscriptionIdentifiers: [subscriptionIdentifier].flat()
    }
  }
}
