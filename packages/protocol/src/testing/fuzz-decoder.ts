import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { encodePacket } from '../encode-packet.ts'
import { MqttError } from '../mqtt-error.ts'
import { PacketDecoder } from '../packet-decoder.ts'
import { PacketType } from '../packet-type.ts'
import type { Packet } from '../packet.ts'
import { ProtocolVersion } from '../protocol-version.ts'
import type { Receiver } from '../receiver.ts'
import type { ReasonCode } from '../reason-codes.ts'
import { arbitraryPacket } from './arbitraries.ts'
import { concat } from './bytes.ts'
import { byteByByte, connectionFor, plain } from './decode.ts'
import type { Connection } from './decode.ts'

export interface FuzzOptions {
  /** Makes the valid packets to start from, and with its number each case. */
  readonly seed: number
  /** The number of the first case, to see one again. */
  readonly firstCase?: number
  /** Whether to go on with the next case. */
  readonly goOn: (casesDone: number) => boolean
}

export interface FuzzReport {
  readonly cases: number
  readonly packets: number
  /** How many cases ended in an MqttError of each Reason Code. */
  readonly refusals: ReadonlyMap<ReasonCode, number>
}

/** How a stream of bytes ended. */
interface Ending {
  readonly packets: readonly Packet[]
  readonly reasonCode: ReasonCode | undefined
  readonly bufferedBytes: number
  /** After CONNECT, as the decoder told it. */
  readonly protocolVersion: ProtocolVersion | undefined
}

type Random = (below: number) => number
type Corpus = ReadonlyMap<string, readonly Uint8Array[]>

const CORPUS_SIZE = 1000
const INTERESTING_BYTES = [0x00, 0x01, 0x02, 0x23, 0x2b, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xed, 0xf0, 0xff]
const VERSIONS = Object.values(ProtocolVersion)

/**
 * Feeds a decoder with valid packets that were tampered with and cut at random, and checks that whatever comes is a
 * packet, the wish for more bytes, or an MqttError; that chunks make no difference; that nothing outside the chunks is
 * read; and that each packet can be encoded again, into bytes that decode to it.
 *
 * @throws {Error} naming the seed and the case, with its bytes
 */
export function fuzzDecoder({ seed, firstCase = 0, goOn }: FuzzOptions): FuzzReport {
  const corpus = makeCorpus(seed)
  const refusals = new Map<ReasonCode, number>()
  let cases = 0
  let packets = 0
  while (goOn(cases)) {
    const number = firstCase + cases++
    const random = randomOf(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(number + 1, 0x85eb_ca6b))
    const connection = someConnection(random)
    const stream = tamperedStream(corpus, connection, random)
    try {
      const ending = checkStream(connection, stream, random)
      packets += ending.packets.length
      if (ending.reasonCode !== undefined) refusals.set(ending.reasonCode, (refusals.get(ending.reasonCode) ?? 0) + 1)
    } catch (cause) {
      const context = JSON.stringify(connection)
      throw new Error(`Seed ${seed}, case ${number}, ${context}: ${Buffer.from(stream).toString('hex')}`, { cause })
    }
  }
  return { cases, packets, refusals }
}

/** Valid packets by who may receive them in which version. */
function makeCorpus(seed: number): Corpus {
  const corpus = new Map<string, Uint8Array[]>()
  for (const { packet, protocolVersion } of fc.sample(arbitraryPacket, { seed, numRuns: CORPUS_SIZE })) {
    const encoded = encodePacket(packet, protocolVersion).slice()
    const isConnect = packet.type === PacketType.Connect
    const key = keyOf(connectionFor(packet, protocolVersion).receiver, isConnect ? undefined : protocolVersion)
    const group = corpus.get(key)
    if (group === undefined) corpus.set(key, [encoded])
    else group.push(encoded)
  }
  return corpus
}

function keyOf(receiver: Receiver, protocolVersion: ProtocolVersion | undefined): string {
  return `${receiver} ${protocolVersion}`
}

function someConnection(random: Random): Connection {
  const maximumPacketSize = pick([64, 1024, 268_435_460], random)
  const protocolVersion = pick(VERSIONS, random)
  if (random(2) === 0) return { receiver: 'client', protocolVersion, maximumPacketSize }
  return { receiver: 'server', protocolVersion: random(3) === 0 ? undefined : protocolVersion, maximumPacketSize }
}

function tamperedStream(corpus: Corpus, { receiver, protocolVersion }: Connection, random: Random): Uint8Array {
  const parts: Uint8Array[] = []
  const following = corpus.get(keyOf(receiver, protocolVersion ?? pick(VERSIONS, random))) ?? []
  if (protocolVersion === undefined) parts.push(pick(corpus.get(keyOf(receiver, undefined)) ?? [], random))
  for (let count = random(4); count >= 0; count--) parts.push(pick(following, random))
  let stream = concat(...parts)
  for (let count = random(4); count > 0; count--) stream = tamper(stream, random)
  return stream
}

function tamper(stream: Uint8Array, random: Random): Uint8Array {
  if (stream.length === 0) return stream
  const at = random(stream.length)
  const changed = stream.slice()
  switch (random(6)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << random(8))
      return changed
    case 1:
      changed[at] = pick(INTERESTING_BYTES, random)
      return changed
    case 2:
      // Near the beginning are the lengths, flags and identifiers.
      changed[random(Math.min(16, changed.length))] = random(256)
      return changed
    case 3:
      return changed.subarray(0, at)
    case 4:
      return concat(changed.subarray(0, at), Uint8Array.of(pick(INTERESTING_BYTES, random)), changed.subarray(at))
    default:
      return concat(changed.subarray(0, at), changed.subarray(Math.min(changed.length, at + 1 + random(4))))
  }
}

function checkStream(connection: Connection, stream: Uint8Array, random: Random): Ending {
  const ending = decodeAll(connection, [stream])
  demand(isDeepStrictEqual(decodeAll(connection, randomChunks(stream, random)), ending), 'Chunks make a difference')
  if (stream.length < 500) {
    demand(isDeepStrictEqual(decodeAll(connection, byteByByte(stream)), ending), 'Single bytes make a difference')
  }
  // A Buffer, as sockets give them: what is decoded must be the same even so.
  const surrounded = Buffer.concat([Uint8Array.of(random(256)), stream, Uint8Array.of(random(256), random(256))])
  const inPlace = decodeAll(connection, [surrounded.subarray(1, 1 + stream.length)])
  demand(isDeepStrictEqual(inPlace, ending), 'Bytes outside the chunk make a difference')
  for (const packet of ending.packets) checkEncoding(connection, packet, ending.protocolVersion)
  return ending
}

function decodeAll(connection: Connection, chunks: Iterable<Uint8Array>): Ending {
  const decoder = new PacketDecoder({ maximumPacketSize: 1024, ...connection })
  const packets: Packet[] = []
  let reasonCode: ReasonCode | undefined
  for (const chunk of chunks) {
    decoder.push(chunk)
    reasonCode = drain(decoder, packets)
    if (reasonCode !== undefined) {
      demand(drain(decoder, packets) === reasonCode, 'The decoder went on after an error')
      break
    }
  }
  return { packets, reasonCode, bufferedBytes: decoder.bufferedBytes, protocolVersion: decoder.protocolVersion }
}

/** @returns the Reason Code of the MqttError that ended it, if any; any other error is a finding */
function drain(decoder: PacketDecoder, packets: Packet[]): ReasonCode | undefined {
  try {
    for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) packets.push(plain(packet))
    return undefined
  } catch (error) {
    if (error instanceof MqttError) return error.reasonCode
    throw error
  }
}

function checkEncoding(connection: Connection, packet: Packet, protocolVersion: ProtocolVersion | undefined): void {
  if (protocolVersion === undefined) throw new Error('A packet before the version was known')
  const encoded = encodePacket(packet, protocolVersion)
  const known = packet.type === PacketType.Connect ? undefined : protocolVersion
  const again = decodeAll({ receiver: connection.receiver, protocolVersion: known, maximumPacketSize: 268_435_460 }, [encoded])
  demand(again.reasonCode === undefined && again.packets.length === 1, 'What was encoded again does not decode')
  demand(isDeepStrictEqual(again.packets[0], packet), 'What was encoded again is another packet')
  demand(isDeepStrictEqual(encodePacket(packet, protocolVersion), encoded), 'Encoding is not repeatable')
}

function* randomChunks(stream: Uint8Array, random: Random): Iterable<Uint8Array> {
  for (let at = 0; at < stream.length;) {
    const length = 1 + random(random(2) === 0 ? 8 : stream.length)
    yield stream.slice(at, at + length)
    at += length
  }
}

function demand(condition: boolean, finding: string): void {
  if (!condition) throw new Error(finding)
}

function pick<T>(choices: readonly T[], random: Random): T {
  const choice = choices[random(choices.length)]
  if (choice === undefined) throw new RangeError('Nothing to choose from')
  return choice
}

/** Small and repeatable: mulberry32. */
function randomOf(seed: number): Random {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
