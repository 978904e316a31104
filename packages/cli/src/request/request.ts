import { type ClientOptions, connect, type Message, type RequestOptions } from '@godwit/client'
import { ProtocolVersion } from '@godwit/protocol'
import { complainOfClient, type Tell, teller } from '../complain-of-client.ts'
import { connectionOf } from '../connection/connection.ts'
import { followConnection } from '../connection/connection-log.ts'
import { propertiesOf } from '../connection/properties.ts'
import { ExitCode } from '../exit-code.ts'
import { milliseconds, qualityOfService } from '../flag-values.ts'
import { Misuse } from '../misuse.ts'
import { PAYLOAD_MISSING, payloadOf, TOPIC_MISSING, topicOf } from '../pub/publications.ts'
import { stopSignal } from '../signals.ts'
import { StandardOutput } from '../standard-output.ts'
import { type Format, formatOf } from '../sub/output-format.ts'
import { shown } from '../sub/shown-message.ts'
import type { RequestFlags } from './request-flags.ts'

const TIMEOUT_MS = 30_000

interface Plan {
  readonly urls: readonly string[]
  readonly options: ClientOptions
  readonly topic: string
  readonly payload: string | Uint8Array
  readonly request: RequestOptions
  readonly format: Format
  readonly timeoutMs: number
}

/** `godwit request [topic] [payload]`: publishes a request, and prints the reply (5.0). */
export async function request(args: readonly string[], flags: RequestFlags): Promise<ExitCode> {
  const tell = teller(flags.quiet)
  try {
    const { urls, options, topic, payload, request: requestOptions, format, timeoutMs } = await planOf(args, flags, tell)
    const startedMs = performance.now()
    const client = await connect(urls, options)
    followConnection(client, tell, flags.debug)
    try {
      const remainingMs = Math.max(1, Math.round(timeoutMs - (performance.now() - startedMs)))
      const reply = client.request(topic, payload, { ...requestOptions, timeoutMs: remainingMs })
      const outcome = await Promise.race([reply, stopSignal()])
      if (typeof outcome === 'string') {
        reply.catch(() => undefined)
        tell('interrupted: no reply yet')
        return ExitCode.Failed
      }
      return await print(outcome, format, tell)
    } finally {
      await client.close({ drainMs: 0 })
    }
  } catch (error) {
    return complainOfClient(error, tell)
  }
}

async function planOf([topicArgument, payloadArgument]: readonly string[], flags: RequestFlags, tell: Tell): Promise<Plan> {
  const given = propertiesOf(flags.property)
  if (given.publish.responseTopic !== undefined || given.publish.correlationData !== undefined) {
    throw new Misuse('the Response Topic and Correlation Data of a request are its own; --response-topic-prefix moves the former')
  }
  const { urls, topics, options } = await connectionOf(flags, given, tell)
  if ((options.protocolVersion ?? ProtocolVersion.Mqtt5) !== ProtocolVersion.Mqtt5) {
    throw new Misuse('a request needs 5.0: -V mqttv5, or no -V')
  }
  const topic = topicOf(topicArgument, flags, topics)
  if (topic === undefined) throw new Misuse(TOPIC_MISSING)
  const payload = await payloadOf(payloadArgument, flags, process.stdin)
  if (payload === undefined) throw new Misuse(`${PAYLOAD_MISSING} or --null-message`)
  const timeoutMs = flags.timeout === undefined ? TIMEOUT_MS : milliseconds('--timeout', flags.timeout)
  return {
    urls,
    options: {
      ...options,
      fallBack: false,
      connectTimeoutMs: Math.max(1, Math.min(timeoutMs, TIMEOUT_MS)),
      responseTopicPrefix: flags.responseTopicPrefix
    },
    topic,
    payload,
    // At QoS 1 the server tells when nobody has subscribed.
    request: { ...given.publish, qos: flags.qos === undefined ? 1 : qualityOfService('--qos', flags.qos) },
    format: formatOf(flags, { isTTY: process.stdout.isTTY, environment: process.env }, tell),
    timeoutMs
  }
}

async function print(reply: Message, format: Format, tell: Tell): Promise<ExitCode> {
  const output = new StandardOutput(process.stdout)
  void output.write(format(shown(reply)))
  await output.end()
  if (output.error === undefined) {
    reply.ack()
    return ExitCode.Done
  }
  tell(`cannot write to standard output: ${output.error.message}`)
  return ExitCode.Failed
}
