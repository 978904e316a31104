import { describe, expect, it } from 'vitest'
import { Ledger, type Receiver } from './ledger.ts'

/** A receiver that is subscribed to everything at QoS 2, and three messages of one topic. */
function books(qos: 1 | 2): { ledger: Ledger; receiver: Receiver; numbers: readonly [number, number, number] } {
  const ledger = new Ledger()
  const receiver = ledger.receiver('r', true)
  receiver.subscribes('#', 2, 'acknowledged')
  return { ledger, receiver, numbers: [ledger.send('t', qos), ledger.send('t', qos), ledger.send('t', qos)] }
}

describe('the ledger', () => {
  it('balances when everything acknowledged has come in order, at QoS 1 more than once', () => {
    const { ledger, receiver, numbers } = books(1)
    for (const number of [...numbers, ...numbers]) receiver.delivered(number, 't', 1)
    for (const number of numbers) ledger.acknowledge(number)
    expect([...ledger.failures, ...ledger.missing()]).toEqual([])
  })

  it('misses what was acknowledged and has not come, and nothing else', () => {
    const { ledger, receiver, numbers } = books(2)
    const [first, second] = numbers
    ledger.acknowledge(first)
    ledger.acknowledge(second)
    receiver.delivered(first, 't', 2)
    expect(ledger.missing()).toEqual([`r never received 1 acknowledged messages: ${second} (t, QoS 2)`])
  })

  it('finds a message of QoS 2 that has come twice', () => {
    const { ledger, receiver, numbers } = books(2)
    receiver.delivered(numbers[0], 't', 2)
    receiver.delivered(numbers[0], 't', 2)
    expect(ledger.failures).toEqual([`r received message ${numbers[0]} on t, of QoS 2, 2 times`])
  })

  it('finds a message that has come for the first time after a later one', () => {
    const { ledger, receiver, numbers } = books(1)
    receiver.delivered(numbers[1], 't', 1)
    receiver.delivered(numbers[0], 't', 1)
    expect(ledger.failures).toEqual([`r received message ${numbers[0]} on t after message ${numbers[1]}`])
  })

  it.each([
    ['removed', true, true],
    ['unsure', true, false],
    ['acknowledged', false, false]
  ] as const)('given a subscription that is %s, then a message may come or not as it should', (state, mayMiss, mayNotCome) => {
    const ledger = new Ledger()
    const receiver = ledger.receiver('r', true)
    receiver.subscribes('t', 1, state)
    const number = ledger.send('t', 1)
    ledger.acknowledge(number)
    expect(ledger.missing().length === 0).toBe(mayMiss)
    receiver.delivered(number, 't', mayNotCome ? 0 : 1)
    expect(ledger.failures.length > 0).toBe(mayNotCome)
  })

  it('finds a will that was not to be published, and a message that nobody sent', () => {
    const { ledger, receiver, numbers } = books(1)
    ledger.forbid(numbers[0])
    receiver.delivered(numbers[0], 't', 1)
    receiver.delivered(numbers[1], 'other', 1)
    receiver.delivered(99, 't', 1)
    expect(ledger.failures).toEqual([
      `r received message ${numbers[0]} on t, which was not to be published`,
      `r received message ${numbers[1]} on other, which nobody sent there`,
      'r received message 99 on t, which nobody sent there'
    ])
  })
})
