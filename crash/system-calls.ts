/** A system call of a traced process, as strace prints it. */
export interface SystemCall {
  readonly name: string
  /** Behind the number of the first parameter: a path, or `TCP:[from->to]`; '': it is no descriptor. */
  readonly descriptor: string
  /** The number of that descriptor; -1: it is none. */
  readonly number: number
  readonly parameters: string
  /** What it returned; NaN: it never did. */
  readonly result: number
  /** The lines of the trace in which it began and returned: other threads may have come between. */
  readonly beganAt: number
  readonly returnedAt: number
}

/** strace, with what follows as the command to trace; its output can be read by `parseTrace`. */
export function strace(file: string, calls: readonly string[]): string[] {
  // The traced process stays our child (-D), and descriptors are named (-yy).
  return ['strace', '-D', '-f', '-q', '-yy', '-s', '4096', '-e', `trace=${calls.join(',')}`, '-e', 'signal=none', '-o', file]
}

interface Unfinished {
  readonly parameters: string
  readonly beganAt: number
}

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)/
const BEGUN = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)/

/** The calls of all threads, in the order in which they returned. */
export function parseTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = []
  const unfinished = new Map<string, Unfinished>()
  for (const [line, content] of text.split('\n').entries()) {
    const begun = BEGUN.exec(content)
    if (begun !== null) {
      unfinished.set(`${begun[1]} ${begun[2]}`, { parameters: begun[3] ?? '', beganAt: line })
      continue
    }
    const resumed = RESUMED.exec(content)
    const [, thread, name = '', parameters = '', result] = resumed ?? WHOLE.exec(content) ?? []
    if (thread === undefined) continue
    const earlier = resumed === null ? undefined : unfinished.get(`${thread} ${name}`)
    calls.push(callOf(name, (earlier?.parameters ?? '') + parameters, Number(result), earlier?.beganAt ?? line, line))
  }
  return calls
}

function callOf(name: string, parameters: string, result: number, beganAt: number, returnedAt: number): SystemCall {
  const [, number = '-1', descriptor = ''] = /^(\d+)<(.*?)>(?:,|$)/.exec(parameters) ?? []
  return { name, descriptor, number: Number(number), parameters, result, beganAt, returnedAt }
}

/** The first bytes of the MQTT packets that a call read or wrote, which began with one. */
export function packetsOf({ parameters }: SystemCall): number[] {
  const bytes = [...parameters.matchAll(/"((?:[^"\\]|\\.)*)"/g)].flatMap(([, text = '']) => unescaped(text))
  const packets: number[] = []
  for (let at = 0; at < bytes.length;) {
    packets.push(bytes[at++] ?? 0)
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    at += length
  }
  return packets
}

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11 }

/** The bytes of a string as strace prints it. */
function unescaped(text: string): number[] {
  return [...text.matchAll(/\\([0-7]{1,3})|\\(.)|(.)/g)].map(([, octal, escaped = '', plain = '']) => {
    if (octal !== undefined) return Number.parseInt(octal, 8)
    return ESCAPES[escaped] ?? (escaped + plain).charCodeAt(0)
  })
}
