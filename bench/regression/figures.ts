import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MeasuredBroker } from '../process/measured-broker.ts'
import { Lockstep } from './lockstep.ts'
import type { Pattern } from './patterns.ts'

/** What the broker spends on a message that takes a pattern's way, whatever the machine; where there are several subscribers, per delivery. */
interface Figures {
  /** Bytes allocated on V8's heap. */
  readonly heapBytes: number
  readonly reads: number
  readonly writes: number
}

export type FiguresOfPatterns = Readonly<Record<string, Figures>>

/** So many messages of a pattern go ahead, counted in such parts: by then V8 has compiled what they go through. */
const WARM_UP = 8
/** Parts that are measured. What comes between, a compilation or a chunk cut in two, only adds: the lowest counts. */
const PARTS = 4

/** Plays patterns with the program, on its default store, one after the other. */
export async function measureFigures(
  patterns: readonly Pattern[],
  nodeFlags: readonly string[] = []
): Promise<FiguresOfPatterns> {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-figures-'))
  try {
    const broker = await MeasuredBroker.start({ data: join(folder, 'data'), collects: false, nodeFlags })
    const figures: Record<string, Figures> = {}
    for (const pattern of patterns) figures[pattern.name] = await figuresOf(broker, pattern)
    await broker.stop()
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function figuresOf(broker: MeasuredBroker, pattern: Pattern): Promise<Figures> {
  const { messages, subscribers } = pattern
  const lockstep = await Lockstep.connect(broker.port, pattern)
  await lockstep.send(messages * WARM_UP)
  const parts: Figures[] = []
  while (parts.length < PARTS) {
    await broker.memory()
    const before = broker.calls
    await lockstep.send(messages)
    const { reads, writes } = broker.calls
    const { allocated } = await broker.memory()
    const deliveries = messages * subscribers
    parts.push({
      heapBytes: allocated / deliveries,
      reads: (reads - before.reads) / deliveries,
      writes: (writes - before.writes) / deliveries
    })
  }
  lockstep.disconnect()
  return {
    heapBytes: Math.min(...parts.map(({ heapBytes }) => heapBytes)),
    reads: Math.min(...parts.map(({ reads }) => reads)),
    writes: Math.min(...parts.map(({ writes }) => writes))
  }
}
