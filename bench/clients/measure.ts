import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect, type QoS } from '@godwit/client'
import { withinLimit } from '../../interop/mailbox.ts'
import { type LibraryName, TOPIC } from './library.ts'

const program = join(import.meta.dirname, 'client-process.ts')
const LIMIT_MS = 120_000

export interface ClientCase {
  readonly role: 'publish' | 'receive'
  readonly qos: QoS
  readonly messages: number
  readonly payloadBytes: number
}

export interface ClientFigures {
  readonly perSecond: number
  readonly cpuMicroseconds: number
  /** The most that was resident. */
  readonly megabytes: number
}

/** Runs one library in a process of its own, and, where it receives, a publisher here for as long as it takes. */
export async function measureClient(
  library: LibraryName,
  { role, qos, messages, payloadBytes }: ClientCase,
  url: string
): Promise<ClientFigures> {
  const words = [library, role, `${qos}`, `${messages}`, `${payloadBytes}`, url]
  const child = spawn(process.execPath, ['--conditions=godwit-source', program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ready = Promise.withResolvers<undefined>()
  const figures = Promise.withResolvers<ClientFigures>()
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'ready') ready.resolve(undefined)
    else figures.resolve(readFigures(line))
  })
  child.once('exit', (code) => figures.reject(new Error(`${library} ended with ${code} before it was measured`)))
  if (role === 'receive') {
    await withinLimit(ready.promise, `${library} to subscribe`, LIMIT_MS)
    await publishUntil(figures.promise, qos, payloadBytes, url)
  }
  return withinLimit(figures.promise, `${library} to be measured`, LIMIT_MS)
}

async function publishUntil(done: Promise<unknown>, qos: QoS, payloadBytes: number, url: string): Promise<void> {
  const client = await connect(url)
  const payload = new Uint8Array(payloadBytes).fill(0x2e)
  const ending = new AbortController()
  const settled = done.then(
    () => ending.abort(),
    () => ending.abort()
  )
  while (!ending.signal.aborted) {
    for (let sent = 0; sent < 500; sent++) client.publish(TOPIC, payload, { qos })
    await client.drained()
    // A turn of the event loop, in which the end of the other process is noticed.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
  await settled
  await client.close({ drainMs: 0 })
}

/** @throws {TypeError} if it is not the line of figures */
function readFigures(line: string): ClientFigures {
  const value: unknown = JSON.parse(line)
  if (!isFigures(value)) throw new TypeError(`not the figures of a client: ${line}`)
  return value
}

function isFigures(value: unknown): value is ClientFigures {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['perSecond', 'cpuMicroseconds', 'megabytes'].every((name) => typeof Reflect.get(value, name) === 'number')
  )
}
