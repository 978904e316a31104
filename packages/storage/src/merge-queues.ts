import type { MemoryQueue } from './memory-queue.ts'
import type { LogEntry, QueuePosition } from './store.ts'

/** A queue being read: its next entry, and where that stands. */
interface Cursor {
  readonly queue: MemoryQueue
  position: number
  entry: LogEntry
}

/**
 * The next entries of several queues in order of sequence. An entry that several queues hold appears once. Costs one
 * search for each queue, then O(log queues) for each entry read.
 */
export function mergeQueues(
  queues: ReadonlyMap<number, MemoryQueue>,
  positions: readonly QueuePosition[],
  limit: number
): readonly LogEntry[] {
  const heap: Cursor[] = []
  for (const { queue: id, after } of positions) {
    const queue = queues.get(id)
    if (queue === undefined) continue
    const position = queue.positionAfter(after)
    const entry = queue.at(position)
    if (entry !== undefined) heap.push({ queue, position, entry })
  }
  for (let index = (heap.length >> 1) - 1; index >= 0; index--) sink(heap, index)

  const merged: LogEntry[] = []
  let lastSequence = 0
  for (let least = heap[0]; least !== undefined && merged.length < limit; least = heap[0]) {
    if (least.entry.sequence !== lastSequence) merged.push(least.entry)
    lastSequence = least.entry.sequence
    advance(heap, least)
    sink(heap, 0)
  }
  return merged
}

/** Moves the least cursor on; at its queue's end the heap's last cursor takes its place. */
function advance(heap: Cursor[], least: Cursor): void {
  least.position++
  const entry = least.queue.at(least.position)
  if (entry !== undefined) {
    least.entry = entry
    return
  }
  const last = heap.pop()
  if (last !== undefined && last !== least) heap[0] = last
}

/** Restores the heap where the cursor at `index` may be greater than its children. */
function sink(heap: Cursor[], index: number): void {
  const cursor = heap[index]
  if (cursor === undefined) return
  let parent = index
  for (;;) {
    let child = parent * 2 + 1
    let least = heap[child]
    const right = heap[child + 1]
    if (least !== undefined && right !== undefined && right.entry.sequence < least.entry.sequence) {
      child++
      least = right
    }
    if (least === undefined || least.entry.sequence >= cursor.entry.sequence) break
    heap[parent] = least
    parent = child
  }
  heap[parent] = cursor
}
