import { NO_PROPERTIES, PacketType, ReasonCode, type SubscribePacket, type UserProperty } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { parseReplayFilter, parseReplayStart, readRequests } from './replay-requests.ts'
import { request } from './samples.test.support.ts'

describe('parseReplayStart', () => {
  it.each([
    ['all', { kind: 'all' }],
    ['last=1', { kind: 'last', messages: 1 }],
    ['last=9007199254740991', { kind: 'last', messages: Number.MAX_SAFE_INTEGER }],
    ['after=0', { kind: 'after', sequence: 0 }],
    ['from=1700000000', { kind: 'from', atMs: 1_700_000_000_000 }],
    ['from=1700000000.5', { kind: 'from', atMs: 1_700_000_000_500 }],
    ['from=1700000000123', { kind: 'from', atMs: 1_700_000_000_123 }],
    ['from=2026-01-31', { kind: 'from', atMs: Date.UTC(2026, 0, 31) }],
    ['from=2026-01-31T12:30', { kind: 'from', atMs: Date.UTC(2026, 0, 31, 12, 30) }],
    ['from=2026-01-31T12:30:15Z', { kind: 'from', atMs: Date.UTC(2026, 0, 31, 12, 30, 15) }],
    ['from=2026-01-31T12:30:15,25', { kind: 'from', atMs: Date.UTC(2026, 0, 31, 12, 30, 15, 250) }],
    ['from=2026-01-31T12:30:15+02:00', { kind: 'from', atMs: Date.UTC(2026, 0, 31, 10, 30, 15) }],
    ['from=2026-01-31T12:30:15-0230', { kind: 'from', atMs: Date.UTC(2026, 0, 31, 15, 0, 15) }]
  ])('reads %s', (text, expected) => {
    expect(parseReplayStart(text)).toEqual(expected)
  })

  it.each([
    '',
    'ALL',
    'all=1',
    'last',
    'last=',
    'last=0',
    'last=-1',
    'last=1.5',
    'last=1=2',
    'last=9007199254740993',
    'after=x',
    'from=',
    'from=yesterday',
    'from=2026-13-01',
    'from=2026-01-31T25:00',
    'from=31.01.2026'
  ])('takes %j for none', (text) => {
    expect(parseReplayStart(text)).toBeUndefined()
  })
})

describe('parseReplayFilter', () => {
  it.each([
    ['$replay/all/#', { start: { kind: 'all' }, topicFilter: '#' }],
    ['$replay/last=2//a', { start: { kind: 'last', messages: 2 }, topicFilter: '/a' }],
    ['$replay/after=7/$SYS/+', { start: { kind: 'after', sequence: 7 }, topicFilter: '$SYS/+' }]
  ])('takes %s apart', (topicFilter, expected) => {
    expect(parseReplayFilter(topicFilter)).toEqual(expected)
  })

  it.each([
    'a',
    '$replay',
    '$replay/',
    '$replay/all',
    '$replay/all/',
    '$replay/some/a',
    '$replay/all/$share/g/a',
    '$replay/all/$replay/all/a'
  ])('finds none in %s', (topicFilter) => {
    expect(parseReplayFilter(topicFilter)).toBeUndefined()
  })
})

describe('readRequests', () => {
  const read = (topicFilter: string, ...replays: readonly string[]) => {
    const userProperties = replays.map((value): UserProperty => ['godwit-replay', value])
    const packet: SubscribePacket = {
      type: PacketType.Subscribe,
      packetIdentifier: 1,
      subscriptions: [request(topicFilter)],
      properties: replays.length === 0 ? NO_PROPERTIES : { userProperties: [['other', 'x'], ...userProperties] }
    }
    return readRequests(packet)[0]
  }

  it('given neither a property nor a prefix, then nothing is asked for', () => {
    expect(read('a/#')).toEqual({ request: request('a/#'), writtenFilter: 'a/#', start: undefined, refusal: undefined })
  })

  it('given a filter of its own, then that goes before the property', () => {
    expect(read('$replay/last=3/a', 'all')).toMatchObject({
      request: { topicFilter: 'a' },
      writtenFilter: '$replay/last=3/a',
      start: { kind: 'last', messages: 3 },
      refusal: undefined
    })
    expect(read('a', 'all')).toMatchObject({ request: { topicFilter: 'a' }, start: { kind: 'all' } })
  })

  it.each([
    ['a', ['sometimes'], ReasonCode.ImplementationSpecificError, /godwit-replay is sometimes; accepted is one of all, last=N/],
    ['a', ['all', 'all'], ReasonCode.ImplementationSpecificError, /is there 2 times/],
    ['$share/g/a', ['all'], ReasonCode.ImplementationSpecificError, /Shared Subscription/],
    ['$share/g/$replay/all/a', [], ReasonCode.TopicFilterInvalid, /Shared Subscription/],
    ['$replay/last=0/a', [], ReasonCode.TopicFilterInvalid, /accepted is \$replay\/START\/FILTER/],
    ['$replay/all/$share/g/a', [], ReasonCode.TopicFilterInvalid, /not shared/]
  ] as const)('refuses %s with %j', (topicFilter, replays, reasonCode, reason) => {
    const refusal = read(topicFilter, ...replays)?.refusal
    expect(refusal?.reasonCode).toBe(reasonCode)
    expect(refusal?.reason).toMatch(reason)
  })

  it('given a long value, then the Reason String repeats only its beginning', () => {
    expect(read('a', 'x'.repeat(60_000))?.refusal?.reason?.length).toBeLessThan(300)
  })
})
