import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnsentMessages } from './unsent-messages.ts'

// fast-check prints its seed when a property fails.

/** A turn: so many messages are added, and so many bytes of other packets; then the transport sends so many of what it holds. */
const turns = fc.array(fc.record({ messages: fc.nat(3), others: fc.nat(20), sends: fc.nat(40) }), { maxLength: 300, size: 'max' })

describe('messages of QoS 0 on their way out', () => {
  it('given any writes that a transport takes slowly, then those are counted whose write it has not sent whole', () => {
    fc.assert(
      fc.property(turns, (history) => {
        const unsent = new UnsentMessages()
        let held: { bytes: number; messages: number }[] = []
        for (const { messages, others, sends } of history) {
          const bytes = 2 * messages + others
          for (let count = 0; count < messages; count++) unsent.added()
          const isTaken = held.length === 0 && bytes <= sends
          unsent.wrote(bytes, isTaken)
          if (!isTaken && bytes > 0) held.push({ bytes, messages })
          for (let left = sends; left > 0 && held[0] !== undefined;) {
            const sent = Math.min(left, held[0].bytes)
            held[0].bytes -= sent
            left -= sent
            if (held[0].bytes === 0) held.shift()
          }
          const bufferedBytes = held.reduce((sum, write) => sum + write.bytes, 0)
          if (bufferedBytes === 0) held = []
          unsent.sent(bufferedBytes)
          const expected = held.reduce((sum, write) => sum + write.messages, 0)
          // Beyond so many writes the latest are one.
          if (held.length <= 64) expect(unsent.messages).toBe(expected)
          else expect(unsent.messages).toBeGreaterThanOrEqual(expected)
        }
      })
    )
  })

  it('given ten thousand writes that are not sent, then their messages are known, and all sent at once', () => {
    const unsent = new UnsentMessages()
    for (let count = 0; count < 10_000; count++) {
      unsent.added()
      unsent.wrote(10, false)
    }
    expect(unsent.messages).toBe(10_000)
    unsent.added()
    unsent.sent(5)
    expect(unsent.messages).toBe(9_938)
    unsent.sent(0)
    expect(unsent.messages).toBe(1)
  })
})
