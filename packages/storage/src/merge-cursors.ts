import type { LogEntry } from './store.ts'
import type { SequenceNumber } from './stored-message.ts'

/** Stands at an entry of a queue that is being read. */
export interface QueueCursor {
  readonly sequence: SequenceNumber
  entry(): LogEntry
  /** Moves to the next entry; false: there is none, and the cursor is done with. */
  advance(): boolean
}

/**
 * The next entries of several queues in order of sequence. An entry that several queues hold appears once. Costs
 * O(log queues) for each entry read.
 *
 * @param heap the cursors, in any order; used up
 */
export function mergeCursors(heap: QueueCursor[], limit: number): readonly LogEntry[] {
  for (let index = (heap.length >> 1) - 1; index >= 0; index--) sink(heap, index)

  const merged: LogEntry[] = []
  let lastSequence = 0
  for (let least = heap[0]; least !== undefined && merged.length < limit; least = heap[0]) {
    if (least.sequence !== lastSequence) merged.push(least.entry())
    lastSequence = least.sequence
    if (!least.advance()) {
      // At its queue's end the heap's last cursor takes its place.
      const last = heap.pop()
      if (last !== undefined && last !== least) heap[0] = last
    }
    // Most read one queue.
    if (heap.length > 1) sink(heap, 0)
  }
  return merged
}

/** Restores the heap where the cursor at `index` may be greater than its children. */
function sink(heap: QueueCursor[], index: number): void {
  const cursor = heap[index]
  if (cursor === undefined) return
  let parent = index
  for (;;) {
    let child = parent * 2 + 1
    let least = heap[child]
    const right = heap[child + 1]
    if (least !== undefined && right !== undefined && right.sequence < least.sequence) {
      child++
      least = right
    }
    if (least === undefined || least.sequence >= cursor.sequence) break
    heap[parent] = least
    parent = child
  }
  heap[parent] = cursor
}
