import { type Packet, packetTypeName } from '@godwit/protocol'
import { expect } from 'vitest'
import { bytesOf } from '../packets.ts'
import { toHex } from '../hex.ts'

/**
 * A packet as a test expects it: `type`, and the fields that matter. `properties`, where given, are compared as a whole,
 * but for a Reason String that is not named: its text is the server's own.
 */
export type ExpectedPacket = ExpectedOf<Packet>

type ExpectedOf<Each extends Packet> = Each extends Packet
  ? { readonly type: Each['type'] } & {
      readonly [Field in Exclude<keyof Each, 'type'>]?: Field extends 'payload' ? string | Uint8Array : Each[Field]
    }
  : never

/** @throws an assertion error that shows the difference */
export function expectPacket(who: string, actual: Packet | undefined, expected: ExpectedPacket): void {
  if (actual === undefined) expect.fail(`${who} received nothing, where this was expected:\n  ${describe(expected)}`)
  const message = `${who} received another packet than expected:\n  ${describe(actual)}\n`
  expect(comparable(actual, expected), message).toEqual(comparable(expected, expected))
}

export function matches(actual: Packet, expected: ExpectedPacket): boolean {
  try {
    expect(comparable(actual, expected)).toEqual(comparable(expected, expected))
    return true
  } catch {
    return false
  }
}

/** One packet in one line, for messages. */
export function describe({ type, ...fields }: Packet | ExpectedPacket): string {
  return `${packetTypeName(type)} ${JSON.stringify(fields, (_name, value: unknown) => shortened(readable(value)))}`
}

/** The expected fields of a packet, in a form whose difference can be read. */
function comparable(packet: Packet | ExpectedPacket, { type, ...expected }: ExpectedPacket): Record<string, unknown> {
  const fields: Record<string, unknown> = { type: packetTypeName(packet.type) }
  if (packet.type !== type) return fields
  const values: Readonly<Record<string, unknown>> = { ...packet }
  for (const [name, wanted] of Object.entries<unknown>(expected)) {
    if (wanted === undefined) continue
    const value = values[name]
    if (name === 'payload') fields[name] = readable(typeof value === 'string' ? bytesOf(value) : value)
    else fields[name] = name === 'properties' ? presentProperties(value, wanted) : value
  }
  return fields
}

function presentProperties(properties: unknown, expected: unknown): Record<string, unknown> {
  const present: Record<string, unknown> = {}
  const namesReasonString = typeof expected === 'object' && expected !== null && Object.hasOwn(expected, 'reasonString')
  for (const [name, value] of Object.entries<unknown>({ ...(typeof properties === 'object' ? properties : undefined) })) {
    if (name !== 'reasonString' || namesReasonString) present[name] = readable(value)
  }
  return present
}

/** Bytes as the text that they are, or in hexadecimal. */
function readable(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
  return /^[\x20-\x7e]*$/.test(text) ? text : toHex(value)
}

function shortened(value: unknown): unknown {
  return typeof value === 'string' && value.length > 100 ? `${value.slice(0, 80)}... (${value.length} characters)` : value
}
