import { describe, expect, it } from 'vitest'
import { resolveLimits } from './limits.ts'
import { expirySeconds, toExpiryInterval } from './session-expiry.ts'

const NEVER = 0xffff_ffff

describe('the Session Expiry Interval', () => {
  it.each([
    [0, NEVER, 0],
    [1, NEVER, 1],
    [NEVER - 1, NEVER, NEVER - 1],
    [NEVER, NEVER, Infinity],
    [0, 0, 0],
    [NEVER, 0, 0],
    [NEVER, 3600, 3600],
    [3601, 3600, 3600],
    [3599, 3600, 3599]
  ])(
    'given that a client asks for %d and the limit is %d, then it is %d seconds',
    (requested, sessionExpirySecondsMax, seconds) => {
      const granted = expirySeconds(requested, resolveLimits({ sessionExpirySecondsMax }))
      expect(granted).toBe(seconds)
      expect(toExpiryInterval(granted)).toBe(Math.min(requested, sessionExpirySecondsMax))
    }
  )
})
