import { parentPort, workerData } from 'node:worker_threads'
import { ByteRingWriter } from './byte-ring.ts'

function told(data: unknown): { readonly ring: SharedArrayBuffer; readonly records: number } {
  if (typeof data === 'object' && data !== null && 'ring' in data && 'records' in data) {
    const { ring, records } = data
    if (ring instanceof SharedArrayBuffer && typeof records === 'number') return { ring, records }
  }
  throw new TypeError('it takes a ring and a number of records')
}

/** Writes as many records as it is told, each with its number, as fast as the reader takes them. */
const { ring, records } = told(workerData)
const writer = new ByteRingWriter(ring, () => parentPort?.postMessage(0))
const payload = new Uint8Array(700)
for (let number = 0; number < records; number++) {
  payload.fill(number & 0xff)
  while (!writer.append(1 + (number % 255), number, payload.subarray(0, number % 700))) writer.waitForRoom()
  if (number % 5 === 0) writer.publish()
}
writer.publish()
