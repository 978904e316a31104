import { countText } from '../quantities.ts'
import { oneLine, payloadText, type Screen } from './payload-text.ts'
import { SENT_AT_PROPERTY } from '../pub/publication.ts'
import { latencyMsOf, type ShownMessage } from './shown-message.ts'

/** How the parts of a block are marked, where colours are. */
export interface Marks {
  readonly topic: (text: string) => string
  readonly note: (text: string) => string
}

/** A message as a block for people: what it is, its properties, its payload, and an empty line. */
export function prettyFormat(screen: Screen, marks: Marks): (message: ShownMessage) => Uint8Array {
  return (message) => {
    const { topic, payload } = message
    const head = `${marks.topic(oneLine(topic))}  ${marks.note(summaryOf(message))}`
    const properties = propertiesOf(message).map(([name, value]) => `  ${marks.note(`${name}:`)} ${oneLine(value)}`)
    const body = payload.byteLength === 0 ? marks.note('(empty)') : payloadText(payload, screen)
    return Buffer.from([head, ...properties, indented(body), '', ''].join('\n'))
  }
}

function summaryOf(message: ShownMessage): string {
  const { qos, retain, dup, payload, receivedAtMs } = message
  const latencyMs = latencyMsOf(message)
  return [
    `QoS ${qos}`,
    ...(retain ? ['retained'] : []),
    ...(dup ? ['sent again'] : []),
    countText(payload.byteLength, 'byte'),
    timeOf(receivedAtMs),
    ...(latencyMs === undefined ? [] : [`latency ${latencyText(latencyMs)}`])
  ].join(', ')
}

/** Local time, to the millisecond. */
function timeOf(epochMs: number): string {
  const time = new Date(epochMs)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${clock}.${`${time.getMilliseconds()}`.padStart(3, '0')}`
}

function latencyText(latencyMs: number): string {
  if (latencyMs < 0) return `${latencyMs.toFixed(1)} ms: the clocks differ`
  if (latencyMs < 1) return `${Math.round(latencyMs * 1000)} µs`
  return latencyMs < 10_000
    ? `${latencyMs.toFixed(1)} ms`
    : `${(latencyMs / 1000).toLocaleString('en', { maximumFractionDigits: 1 })} s`
}

function propertiesOf({ properties }: ShownMessage): [name: string, value: string][] {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } =
    properties
  const shown: [name: string, value: string | undefined][] = [
    ['Content Type', contentType],
    ['Payload Format', payloadFormatIndicator === 1 ? 'UTF-8' : undefined],
    ['Message Expiry Interval', messageExpiryInterval === undefined ? undefined : `${messageExpiryInterval} s`],
    ['Response Topic', responseTopic],
    [
      'Correlation Data',
      correlationData === undefined ? undefined : payloadText(correlationData, { isTerminal: false, note: String })
    ],
    ...(userProperties ?? [])
      .filter(([name]) => name !== SENT_AT_PROPERTY)
      .map(([name, value]): [string, string] => ['User Property', `${name} = ${value}`])
  ]
  return shown.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
