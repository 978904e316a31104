/** @throws if something is not as it must be */
export function check(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise)
}

/** Compares plain values: bytes by what they hold, whichever class holds them, and what is undefined as if it were left out. */
export function checkEqual(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [canonical(actual), canonical(expected)]
  check(found === wanted, `${what}: expected ${shortened(wanted)}, got ${shortened(found)}`)
}

/** The message of the error. */
export async function checkRejects(promise: Promise<unknown>, what: string): Promise<string> {
  try {
    await promise
  } catch (error) {
    check(error instanceof Error, `${what}: it rejected with something other than an Error`)
    return error instanceof Error ? error.message : ''
  }
  throw new Error(`${what}: it did not reject`)
}

function canonical(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes ${Array.from(value, twoDigits).join('')}`
  if (Array.isArray(value)) return `[${value.map(canonical).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const entries = Object.entries(value)
    .filter(([, held]) => held !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{ ${entries.map(([name, held]) => `${name}: ${canonical(held)}`).join(', ')} }`
}

function twoDigits(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

const SHOWN_MAX = 2_000

function shortened(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}… (${text.length} characters)`
}
