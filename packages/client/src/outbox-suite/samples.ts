import type { OutboxMessage, SequenceNumber } from '../outbox-store.ts'

const ACCEPTED_AT_MS = 1_700_000_000_000

/** A message with this number; what is not given is plain. */
export function sample(sequence: SequenceNumber, rest: Partial<Omit<OutboxMessage, 'sequence'>> = {}): OutboxMessage {
  return {
    sequence,
    topicName: `pump/${sequence}`,
    payload: new TextEncoder().encode(`message ${sequence}`),
    qos: 1,
    retain: false,
    properties: {},
    acceptedAtMs: ACCEPTED_AT_MS + sequence,
    expiresAtMs: 0,
    isReleased: false,
    ...rest
  }
}

/** Messages with the numbers from the first to the last. */
export function samples(
  first: SequenceNumber,
  last: SequenceNumber,
  rest: Partial<Omit<OutboxMessage, 'sequence'>> = {}
): OutboxMessage[] {
  return Array.from({ length: last - first + 1 }, (_, index) => sample(first + index, rest))
}

/** A message that uses everything a message can carry. */
export function fullSample(sequence: SequenceNumber): OutboxMessage {
  return sample(sequence, {
    topicName: 'ünï/\u{1F600}',
    payload: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    qos: 2,
    retain: true,
    properties: {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 0xff_ff_ff_ff,
      contentType: 'text/plain; charset=utf-8',
      responseTopic: 'responses/ünï',
      correlationData: Uint8Array.of(0, 127, 128, 255),
      userProperties: [
        ['b', '2'],
        ['a', '1'],
        ['b', '2'],
        ['', ''],
        ['\u{1D11E}', '\u{10FFFF}']
      ]
    },
    expiresAtMs: ACCEPTED_AT_MS + 123_456.5
  })
}
