import { once, type EventEmitter } from 'node:events'
import { expect } from 'vitest'

/** Vitest's matchers are `any`; these are not. */
export function textMatching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern)
}

export function textContaining(part: string): unknown {
  return expect.stringContaining(part)
}

/** What the next such event carries. */
export async function nextEvent(emitter: EventEmitter, event: string): Promise<unknown[]> {
  const values: unknown[] = await once(emitter, event)
  return values
}
