import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TransportTarget } from './options.ts'
import * as browser from './platform-browser.ts'
import * as node from './platform-node.ts'

const LONGEST_TIMEOUT_MS = 0x7fff_ffff

describe.each([
  ['Node', node],
  ['browsers', browser]
])('the clock of %s', (_name, { systemClock, randomBytes }) => {
  test('tells the time of day, and never goes back', () => {
    vi.spyOn(Date, 'now').mockReturnValue(0)
    const now = systemClock.now()
    expect(now).toBeGreaterThan(Date.UTC(2026, 0, 1))
    expect(systemClock.now()).toBeGreaterThanOrEqual(now)
  })

  test('defers to the end of the turn: behind what promises make of it, in the order asked for', async () => {
    const happened: string[] = []
    const ended = new Promise((resolve) => {
      systemClock.defer(() => happened.push('deferred'))
      systemClock.defer(() => {
        systemClock.defer(() => resolve(happened.push('deferred in turn')))
        happened.push('deferred too')
      })
    })
    for (let hop = 0; hop < 10; hop++) await Promise.resolve()
    happened.push('promises')
    await ended
    expect(happened).toEqual(['promises', 'deferred', 'deferred too', 'deferred in turn'])
  })

  test('has random bytes', () => {
    expect(randomBytes(16)).toHaveLength(16)
    expect(randomBytes(16)).not.toEqual(randomBytes(16))
  })

  describe('with timers', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
    afterEach(() => void vi.useRealTimers())

    test.each([0, 1, 0.25, 1_000.75, LONGEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS + 1, 10 * LONGEST_TIMEOUT_MS])(
      'calls back after %d ms, and not before',
      (delayMs) => {
        const called = vi.fn<() => void>()
        systemClock.at(systemClock.now() + delayMs, called)
        vi.advanceTimersByTime(Math.max(delayMs - 1, 0))
        expect(called).toHaveBeenCalledTimes(delayMs === 0 ? 1 : 0)
        vi.advanceTimersByTime(2)
        expect(called).toHaveBeenCalledTimes(1)
        expect(vi.getTimerCount()).toBe(0)
      }
    )

    test('calls back at once for what is past', () => {
      const called = vi.fn<() => void>()
      systemClock.at(systemClock.now() - 5_000, called)
      vi.advanceTimersByTime(0)
      expect(called).toHaveBeenCalledTimes(1)
    })

    test('does not call back early where a timer does', () => {
      const timeMs = systemClock.now() + 10
      const called = vi.fn<() => void>()
      systemClock.at(timeMs, called)
      vi.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + 9)
      vi.advanceTimersByTime(10)
      expect(called).not.toHaveBeenCalled()
      vi.advanceTimersByTime(1)
      expect(called).toHaveBeenCalledTimes(1)
    })

    test('takes a call back, also one that was far away', () => {
      const called = vi.fn<() => void>()
      const cancel = systemClock.at(systemClock.now() + 3 * LONGEST_TIMEOUT_MS, called)
      vi.advanceTimersByTime(2 * LONGEST_TIMEOUT_MS)
      cancel()
      cancel()
      expect(vi.getTimerCount()).toBe(0)
      vi.advanceTimersByTime(2 * LONGEST_TIMEOUT_MS)
      expect(called).not.toHaveBeenCalled()
    })
  })
})

describe('what a browser cannot do', () => {
  const target: TransportTarget = {
    url: 'ws://127.0.0.1/mqtt',
    subprotocol: 'mqtt',
    tls: undefined,
    headers: undefined,
    maximumPacketSize: 1_000,
    signal: AbortSignal.abort(new Error('not meant to connect'))
  }

  test.each([
    ['mqtt:', { url: 'mqtt://user:secret@host' }, 'a browser connects with ws: or wss:, not with mqtt:'],
    ['mqtts:', { url: 'MQTTS://host' }, 'a browser connects with ws: or wss:, not with mqtts:'],
    ['unix:', { url: 'unix:/run/godwit.sock' }, 'a browser connects with ws: or wss:, not with unix:'],
    ['an address without scheme', { url: 'localhost' }, 'a browser connects with ws: or wss:, not with no scheme'],
    [
      'HTTP headers',
      { headers: { Authorization: 'Bearer secret' } },
      'a browser sets the HTTP headers of a WebSocket itself: leave `headers` out'
    ],
    ['certificates', { tls: { rejectUnauthorized: false } }, 'a browser checks certificates by its own rules: leave `tls` out']
  ])('is refused as an argument: %s', async (_name, part, message) => {
    await expect(browser.connectPlatformTransport({ ...target, ...part })).rejects.toMatchObject({
      code: 'invalid-argument',
      message
    })
  })

  test('the rest goes on to the WebSocket', async () => {
    await expect(browser.connectPlatformTransport(target)).rejects.toThrow('not meant to connect')
    await expect(node.connectPlatformTransport(target)).rejects.toThrow('not meant to connect')
  })
})
