import assert from 'node:assert'
import type { Transport } from '../transport.ts'
import { EngineEnd } from './engine-end.ts'
import { shareMemory } from './hand-over.ts'
import { ThreadEnd } from './thread-end.ts'
import type { Turns } from './turns.ts'

const RING_BYTES = 64 * 1024
const CONNECTIONS_MAX = 1024

/**
 * Hands connections over as an I/O thread does, with both ends on this thread and in the turns that are given: for tests and
 * simulations. The function that it returns takes a connection and gives the one that the engine would have of it.
 */
export function handOverInMemory(turns: Turns): (transport: Transport) => Transport {
  const memory = shareMemory(RING_BYTES, CONNECTIONS_MAX)
  let accepted: Transport | undefined
  const accept = (transport: Transport): void => void (accepted = transport)
  const engine = new EngineEnd(
    memory,
    () => turns.later(thread.read),
    () => ({ accept, onError: undefined }),
    turns
  )
  const waitForRoom = (): void => {
    thread.publish()
    engine.read()
  }
  const thread = new ThreadEnd(memory, { wakeEngine: () => turns.later(engine.read), waitForRoom, turns })
  thread.read()
  return (transport) => {
    thread.accept(0, transport)
    thread.publish()
    engine.read()
    assert(accepted !== undefined)
    return accepted
  }
}
