import { ProtocolVersion, ReasonCode } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { names, payloads, suback, withHistory } from './history.test.support.ts'

describe('asking for history', () => {
  it.each([
    [
      'a filter that reaches beyond the history',
      '+/0',
      'all',
      ReasonCode.ImplementationSpecificError,
      /no history for all that \+\/0/
    ],
    ['a filter without history', '$replay/all/other', undefined, ReasonCode.TopicFilterInvalid, /no history for all that other/],
    ['a start that is none', 'sensors/0', 'never', ReasonCode.ImplementationSpecificError, /accepted is one of/],
    ['a shared replay', '$share/g/$replay/all/sensors/0', undefined, ReasonCode.TopicFilterInvalid, /Shared/],
    ['a shared subscription', '$share/g/sensors/0', 'all', ReasonCode.ImplementationSpecificError, /Shared/]
  ])('given %s, then the filter is refused, with the reason', async (_, topicFilter, replay, reasonCode, reason) => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes(topicFilter, replay === undefined ? {} : { replay })
    const answer = suback(client)
    expect(answer.reasonCodes).toEqual([reasonCode])
    expect(answer.reasonString).toMatch(reason)
    expect(world.session('c').subscriptions.size).toBe(0)
  })

  it('given several rules that cover a filter, then the first goes', async () => {
    const history = [
      { topicFilter: 'sensors/0', messages: 2 },
      { topicFilter: '#', messages: 100 }
    ]
    const world = await withHistory(30, { history })
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('sensors/0', { replay: 'all' })
    expect(await payloads(world, client)).toEqual(['m24', 'm27'])
    await client.subscribes('sensors/+', { replay: 'all' })
    expect(await payloads(world, client)).toEqual(names(0, 30))
  })

  it('asks for permission once, for the topics, and tells that history is asked for', async () => {
    const asked: unknown[] = []
    const world = await withHistory(5, {
      access: {
        authorize: (_, access) => {
          asked.push(access)
          return !('replay' in access)
        }
      }
    })
    const client = await world.connects({ clientId: 'c' })
    await client.subscribes('$replay/all/sensors/0')
    expect(suback(client).reasonCodes).toEqual([ReasonCode.NotAuthorized])
    // Whether there is history for it is nobody's business.
    await client.subscribes('other', { replay: 'all' })
    expect(suback(client)).toEqual({ reasonCodes: [ReasonCode.NotAuthorized], reasonString: undefined })
    await client.subscribes('sensors/0')
    expect(suback(client).reasonCodes).toEqual([1])
    expect(asked).toEqual([
      { action: 'subscribe', topicFilter: 'sensors/0', qos: 1, shareName: undefined, replay: true },
      { action: 'subscribe', topicFilter: 'other', qos: 1, shareName: undefined, replay: true },
      { action: 'subscribe', topicFilter: 'sensors/0', qos: 1, shareName: undefined }
    ])
  })
  it('given a filter without history or with a bad start on 3.1.1, then it fails in SUBACK and the connection stays', async () => {
    const world = await withHistory(5)
    const client = await world.connects({ clientId: 'c', cleanStart: true, protocolVersion: ProtocolVersion.Mqtt311 })
    for (const topicFilter of ['$replay/all/other', '$replay/ever/sensors/#']) {
      await client.subscribes(topicFilter)
      expect(suback(client).reasonCodes).toEqual([0x80])
    }
    expect(client.isClosed).toBe(false)
  })
})
