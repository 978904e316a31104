// A ring in shared memory beside ArrayBuffers that are transferred by postMessage: CPU time, of both threads together, for records
// of 80 bytes that one thread hands to another, so many in each turn of its event loop (docs/decisions/0007-io-threads.md).
//   node --conditions=godwit-source bench/hand-over.ts
import assert from 'node:assert'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ByteRingReader, ByteRingWriter, makeByteRing } from '../packages/transport/src/io-threads/byte-ring.ts'

const WAYS = ['ring', 'transfer'] as const
type Way = (typeof WAYS)[number]

const RECORDS = 2_000_000
const RECORD_BYTES = 80
const RING_BYTES = 1024 * 1024
/** Batches that are transferred and not yet taken: as bounded as the ring. */
const BATCHES_MAX = 64

interface Task {
  readonly way: Way
  readonly perTurn: number
  /** The ring; of its words the first counts the batches that are on their way. */
  readonly shared: SharedArrayBuffer
}

function isTask(data: unknown): data is Task {
  return typeof data === 'object' && data !== null && 'way' in data && 'perTurn' in data && 'shared' in data
}

const task: unknown = workerData
if (isMainThread) await compare()
else {
  assert(isTask(task) && parentPort !== null)
  const turn = task.way === 'ring' ? ringTurn(task) : transferTurn(task)
  let sent = 0
  const turns = (): void => {
    turn()
    sent += task.perTurn
    if (sent < RECORDS) setImmediate(turns)
  }
  parentPort.once('message', turns)
  parentPort.postMessage('ready')
}

async function compare(): Promise<void> {
  const figures: Record<string, Record<string, number>> = {}
  for (const perTurn of [1, 5, 20, 200]) {
    const row: Record<string, number> = {}
    for (const way of WAYS) {
      const [first, second] = [await take(way, perTurn), await take(way, perTurn)]
      row[`${way}, µs each`] = Number(Math.min(first, second).toFixed(3))
    }
    figures[`${perTurn} in a turn`] = row
  }
  console.table(figures)
}

/** Microseconds of CPU for each record. */
async function take(way: Way, perTurn: number): Promise<number> {
  const shared = makeByteRing(RING_BYTES)
  const workerData: Task = { way, perTurn, shared }
  const worker = new Worker(new URL(import.meta.url), { workerData })
  await new Promise((resolve) => worker.once('message', resolve))
  const { promise: done, resolve } = Promise.withResolvers<unknown>()
  let records = 0
  let sum = 0
  const take = (payload: Uint8Array): void => {
    records++
    sum += payload[0] ?? 0
  }
  const reader = new ByteRingReader(shared, () => undefined)
  const read = (): void => {
    reader.read((_kind, _connection, payload) => take(payload))
    if (records >= RECORDS) resolve(sum)
    else if (!reader.sleep()) setImmediate(read)
  }
  const onTheWay = new Int32Array(shared)
  const unpack = (batch: ArrayBuffer): void => {
    for (let at = 0; at < batch.byteLength; at += RECORD_BYTES) take(Buffer.from(batch, at, RECORD_BYTES))
    Atomics.sub(onTheWay, 0, 1)
    Atomics.notify(onTheWay, 0)
    if (records >= RECORDS) resolve(sum)
  }
  worker.on('message', way === 'ring' ? read : unpack)
  if (way === 'ring') read()
  const before = process.cpuUsage()
  worker.postMessage('begin')
  await done
  const { user, system } = process.cpuUsage(before)
  await worker.terminate()
  return (user + system) / records
}

function ringTurn({ shared, perTurn }: Task): () => void {
  const writer = new ByteRingWriter(shared, () => parentPort?.postMessage(0))
  const payload = Buffer.alloc(RECORD_BYTES, 'x')
  return () => {
    for (let record = 0; record < perTurn; record++) while (!writer.append(1, record, payload)) writer.waitForRoom()
    writer.publish()
  }
}

function transferTurn({ shared, perTurn }: Task): () => void {
  const onTheWay = new Int32Array(shared)
  const payload = Buffer.alloc(RECORD_BYTES, 'x')
  return () => {
    const batch = new ArrayBuffer(perTurn * RECORD_BYTES)
    const bytes = new Uint8Array(batch)
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) bytes.set(payload, at)
    for (let count = Atomics.load(onTheWay, 0); count >= BATCHES_MAX; count = Atomics.load(onTheWay, 0)) {
      Atomics.wait(onTheWay, 0, count)
    }
    Atomics.add(onTheWay, 0, 1)
    parentPort?.postMessage(batch, [batch])
  }
}
