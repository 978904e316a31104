import { describe, expect, it } from 'vitest'
import { CommitPacing } from './commit-pacing.ts'

/** A commit of three messages that took 4 ms, while another message came. */
function afterCommit() {
  const clock = { now: 100 }
  const pacing = new CommitPacing(() => clock.now)
  for (let message = 0; message < 3; message++) pacing.messageCame()
  pacing.began()
  pacing.messageCame()
  clock.now += 4
  pacing.finished()
  return { clock, pacing }
}

describe('the next commit', () => {
  it('waits until those who were told have all sent their next message', () => {
    const { pacing } = afterCommit()
    for (let message = 0; message < 3; message++) {
      expect(pacing.isWaiting).toBe(true)
      pacing.messageCame()
    }
    expect(pacing.isWaiting).toBe(false)
  })

  it('waits for a quarter of what the last one took, and for no more than 2 ms', () => {
    const { clock, pacing } = afterCommit()
    clock.now += 0.9
    expect(pacing.isWaiting).toBe(true)
    clock.now += 0.2
    expect(pacing.isWaiting).toBe(false)
    pacing.began()
    clock.now += 1_000
    pacing.finished()
    clock.now += 1.9
    expect(pacing.isWaiting).toBe(true)
    clock.now += 0.2
    expect(pacing.isWaiting).toBe(false)
  })

  it('waits for nobody when the last one held no message', () => {
    const { clock, pacing } = afterCommit()
    pacing.began()
    pacing.began()
    clock.now += 4
    pacing.messageCame()
    pacing.finished()
    expect(pacing.isWaiting).toBe(false)
  })
})
