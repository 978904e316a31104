const OPERATIONS = 300_000
const KEYS = Array.from({ length: 1024 }, (_, index) => `sensors/building-${index}/temperature`)
const map = new Map(KEYS.map((key, index) => [key, index]))
const bytes = new Uint8Array(65_536)

/**
 * What a step of work that never changes costs here and now, in nanoseconds: a look-up by a string, a slice of one, and bytes
 * written, which is what a broker does. It says how fast the machine is, at the moment.
 */
export function calibrate(): number {
  const startedAt = performance.now()
  let sum = 0
  for (let step = 0; step < OPERATIONS; step++) {
    const key = KEYS[step & 1023] ?? ''
    sum += map.get(key) ?? 0
    sum += key.slice(8, 16).length
    const at = (step * 61) & 0xfff0
    for (let offset = 0; offset < 16; offset++) bytes[at + offset] = sum + offset
  }
  const passedMs = performance.now() - startedAt
  if (sum === 0) throw new Error('nothing was done')
  return (passedMs * 1e6) / OPERATIONS
}
