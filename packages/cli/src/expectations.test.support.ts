import { expect } from 'vitest'

/** Asymmetric matchers, typed: vitest's are `any`. */
export function textMatching(pattern: RegExp | string): unknown {
  return expect.stringMatching(pattern)
}

export function anyNumber(): unknown {
  return expect.any(Number)
}
