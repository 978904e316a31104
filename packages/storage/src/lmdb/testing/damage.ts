/** A way to damage a file, as failing disks, file systems and people do. */
type Damage = (bytes: Buffer, random: (below: number) => number) => Buffer

const PAGE = 4_096

export const DAMAGES: Readonly<Record<string, Damage>> = {
  'cut short': (bytes, random) => bytes.subarray(0, random(bytes.length)),
  'cut short at a page': (bytes, random) => bytes.subarray(0, random(bytes.length / PAGE) * PAGE),
  'flipped bits': (bytes, random) => {
    for (let left = 1 + random(4); left > 0; left--) flip(bytes, random(bytes.length), random)
    return bytes
  },
  'a flipped bit where a page says what it has': (bytes, random) => {
    flip(bytes, random(bytes.length / PAGE) * PAGE + random(128), random)
    return bytes
  },
  'a flipped bit in a node': (bytes, random) => {
    const page = random(bytes.length / PAGE) * PAGE
    const nodes = bytes.readUInt16LE(page + 20) / 2
    const node = nodes === 0 ? 0 : bytes.readUInt16LE(page + 24 + 2 * random(Math.min(nodes, 500)))
    flip(bytes, Math.min(page + 24 + node + random(8), bytes.length - 1), random)
    return bytes
  },
  'a scribbled page': (bytes, random) => {
    const page = random(bytes.length / PAGE) * PAGE
    for (let at = page; at < page + PAGE; at++) bytes[at] = random(256)
    return bytes
  },
  'a stretch of one byte': (bytes, random) => {
    const start = random(bytes.length)
    const end = Math.min(start + 1 + random(2 * PAGE), bytes.length)
    return bytes.fill([0x00, 0xff, 0xa5, 0x20][random(4)] ?? 0, start, end)
  },
  'a page in the place of another': (bytes, random) => {
    const [from, to] = [random(bytes.length / PAGE) * PAGE, random(bytes.length / PAGE) * PAGE]
    bytes.copyWithin(to, from, from + PAGE)
    return bytes
  },
  'a number that is another': (bytes, random) => {
    const at = (random(bytes.length / PAGE) * PAGE + random(32) * 8) % (bytes.length - 8)
    bytes.writeBigUInt64LE(BigInt(random(2 ** 31)) << BigInt(random(33)), at)
    return bytes
  }
}

function flip(bytes: Buffer, at: number, random: (below: number) => number): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
}

/** Damages a copy, as a number and a seed decide. */
export function damage(whole: Buffer, seed: number, number: number): { readonly kind: string; readonly bytes: Buffer } {
  const kinds = Object.entries(DAMAGES)
  const [kind, apply] = kinds[number % kinds.length] ?? ['nothing', (bytes: Buffer) => bytes]
  return { kind, bytes: apply(Buffer.from(whole), randomFrom(seed + Math.imul(number, 0x9e37_79b1))) }
}

/** Whole numbers that a seed decides (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
