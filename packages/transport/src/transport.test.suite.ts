import { describe, expect, test } from 'vitest'
import { openHandles, pattern, Recorder, turns, untilHandles } from './recorder.test.support.ts'
import type { Transport } from './transport.ts'

export interface TransportPair {
  readonly near: Transport
  readonly far: Transport
  /** Takes down what carried them. */
  close(): Promise<void>
}

/** More than any operating system buffers on loopback. */
const FLOOD_BYTES = 24 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024
const FLOOD = pattern(FLOOD_BYTES)

/** Those of the test runner, taken before the first test. */
const HANDLES_AT_REST = openHandles()

/** What an end cannot do, because the platform does not offer it: its own tests show what it does instead. */
export interface TransportLacks {
  /** It cannot hold its peer back. */
  readonly holdingBack: boolean
  /** It cannot take back what it has handed to the platform. */
  readonly dropping: boolean
}

const NOTHING: TransportLacks = { holdingBack: false, dropping: false }

/** What every Transport does, whatever carries it; both ends take both parts. */
export function describeTransport(
  name: string,
  makePair: () => Promise<TransportPair>,
  diallingEndLacks: TransportLacks = NOTHING
): void {
  describe(`${name}, accepted end`, () => describeEnd(makePair, NOTHING))
  describe(`${name}, dialling end`, () => describeEnd(async () => swapped(await makePair()), diallingEndLacks))
}

function swapped(pair: TransportPair): TransportPair {
  return { near: pair.far, far: pair.near, close: () => pair.close() }
}

/** Not a skipped test: there is nothing to come back to. */
function testUnless(isLacking: boolean): (title: string, run: () => Promise<void>) => void {
  return isLacking ? () => undefined : test
}

function describeEnd(makePair: () => Promise<TransportPair>, lacks: TransportLacks): void {
  async function withPair(run: (near: Transport, far: Transport) => Promise<void>): Promise<void> {
    const pair = await makePair()
    try {
      await run(pair.near, pair.far)
    } finally {
      pair.near.destroy()
      pair.far.destroy()
      await pair.close()
    }
  }

  test('bytes arrive in order and unchanged, whatever their cut', () =>
    withPair(async (near, far) => {
      const sizes = [1, 0, 2, 127, 128, 16_384, 65_535, 65_536, 65_537, 3, 200_000]
      const total = sizes.reduce((sum, size) => sum + size, 0)
      Recorder.on(near)
      const there = Recorder.on(far)
      let at = 0
      for (const size of sizes) {
        near.write(pattern(size, at))
        at += size
      }
      expect(await there.untilReceived(total)).toEqual(Buffer.from(pattern(total)))
    }))

  test('a view sends its own bytes alone', () =>
    withPair(async (near, far) => {
      Recorder.on(near)
      const there = Recorder.on(far)
      near.write(pattern(100).subarray(10, 20))
      near.write(Buffer.from(pattern(100)).subarray(20, 30))
      expect(await there.untilReceived(20)).toEqual(Buffer.from(pattern(20, 10)))
    }))

  test('what arrives before start waits for it', () =>
    withPair(async (near, far) => {
      Recorder.on(far)
      far.write(pattern(1_000))
      await turns(20)
      expect(await Recorder.on(near).untilReceived(1_000)).toEqual(Buffer.from(pattern(1_000)))
    }))

  test('corked writes leave when uncorked', () =>
    withPair(async (near, far) => {
      Recorder.on(near)
      const there = Recorder.on(far)
      near.cork()
      near.write(pattern(10))
      near.write(pattern(10, 10))
      expect(near.bufferedBytes).toBeGreaterThanOrEqual(20)
      await turns(20)
      expect(there.receivedBytes).toBe(0)
      near.uncork()
      expect(await there.untilReceived(20)).toEqual(Buffer.from(pattern(20)))
    }))

  test('large volumes pass both ways at once when each writer heeds the backpressure', () =>
    withPair(async (near, far) => {
      const total = 8 * 1024 * 1024
      const writers = [new HeedingWriter(near, total), new HeedingWriter(far, total)]
      for (const writer of writers) writer.begin()
      for (const writer of writers) await writer.until(() => writer.receivedBytes === total)
      for (const writer of writers) {
        expect(writer.received.equals(FLOOD.subarray(0, total))).toBe(true)
        expect(writer.bufferedMax).toBeLessThan(65_536 + 2 * CHUNK_BYTES)
        expect(writer.drains).toBeGreaterThan(0)
      }
    }))

  testUnless(lacks.holdingBack)('pause holds the peer back, resume lets it go on', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      near.pause()
      expect(flood(far)).toBe(false)
      await turns(50)
      const receivedWhilePaused = here.receivedBytes
      expect(receivedWhilePaused).toBeLessThan(FLOOD_BYTES)
      expect(far.bufferedBytes).toBeGreaterThan(0)
      await turns(50)
      expect(here.receivedBytes).toBe(receivedWhilePaused)
      expect(there.drains).toBe(0)
      near.resume()
      const received = await here.untilReceived(FLOOD_BYTES)
      expect(received.equals(FLOOD)).toBe(true)
      await there.until(() => there.drains > 0)
      expect(far.bufferedBytes).toBe(0)
      expect(there.drains).toBe(1)
    })
  )

  test('end delivers everything written before, then both ends close, once, without an error', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      flood(near)
      near.end()
      near.end()
      await there.untilClosed()
      await here.untilClosed()
      expect(there.received.equals(FLOOD)).toBe(true)
      await turns(20)
      expect(here.closes).toEqual([undefined])
      expect(there.closes).toEqual([undefined])
    }))

  test('end reaches a peer that still writes, and what the peer writes is not handed over any more', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      near.write(pattern(5_000))
      near.end()
      far.write(pattern(100_000))
      await there.untilClosed()
      await here.untilClosed()
      expect(there.received).toEqual(Buffer.from(pattern(5_000)))
      expect(here.receivedBytes).toBe(0)
    }))

  test('both ends may end at the same time', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      near.end()
      far.end()
      await here.untilClosed()
      await there.untilClosed()
      await turns(20)
      expect([here.closes, there.closes]).toEqual([[undefined], [undefined]])
    }))

  test('end of a paused transport closes it too', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      near.pause()
      near.end()
      near.pause()
      expect(await there.untilClosed()).toBeUndefined()
      expect(await here.untilClosed()).toBeUndefined()
    }))

  testUnless(lacks.dropping)('destroy closes at once and drops what is not sent', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      far.pause()
      flood(near)
      near.destroy()
      expect(here.closes).toEqual([])
      expect(await here.untilClosed()).toBeUndefined()
      far.resume()
      await there.untilClosed()
      expect(there.receivedBytes).toBeLessThan(FLOOD_BYTES)
      await turns(20)
      expect(here.closes).toHaveLength(1)
      expect(there.closes).toHaveLength(1)
    })
  )

  test('after end or destroy a write is ignored, and so is everything else', () =>
    withPair(async (near, far) => {
      const here = Recorder.on(near)
      const there = Recorder.on(far)
      near.write(pattern(3))
      near.end()
      expect(near.write(pattern(3))).toBe(false)
      await here.untilClosed()
      await there.untilClosed()
      for (const closed of [near, far]) {
        expect(closed.write(pattern(3))).toBe(false)
        closed.cork()
        closed.uncork()
        closed.pause()
        closed.resume()
        closed.end()
        closed.destroy()
      }
      await turns(20)
      expect(there.received).toEqual(Buffer.from(pattern(3)))
      expect([here.closes, there.closes]).toEqual([[undefined], [undefined]])
      expect(here.receivedBytes).toBe(0)
    }))

  test('a transport that is closed before start says so after it', () =>
    withPair(async (near, far) => {
      near.destroy()
      await turns(20)
      const here = Recorder.on(near)
      expect(here.closes).toEqual([])
      expect(await here.untilClosed()).toBeUndefined()
      await Recorder.on(far).untilClosed()
    }))

  test('a receiver that destroys within onData hears no more than the close', () =>
    withPair(async (near, far) => {
      const here = new Recorder()
      let calls = 0
      near.start({
        onData(): void {
          calls++
          near.destroy()
        },
        onDrain: () => here.onDrain(),
        onClose: (error) => here.onClose(error)
      })
      Recorder.on(far)
      for (let index = 0; index < 50; index++) far.write(pattern(100))
      expect(await here.untilClosed()).toBeUndefined()
      expect(calls).toBe(1)
    }))

  test('closed connections leave no handle behind', async () => {
    for (let round = 0; round < 5; round++) {
      await withPair(async (near, far) => {
        const here = Recorder.on(near)
        const there = Recorder.on(far)
        near.write(pattern(10))
        await there.untilReceived(10)
        if (round % 2 === 0) near.end()
        else near.destroy()
        await Promise.all([here.untilClosed(), there.untilClosed()])
      })
    }
    await untilHandles(HANDLES_AT_REST)
    expect(openHandles()).toBe(HANDLES_AT_REST)
  })
}

/** The result of the last write. */
function flood(transport: Transport): boolean {
  let isKeepingUp = true
  for (let at = 0; at < FLOOD_BYTES; at += CHUNK_BYTES) isKeepingUp = transport.write(FLOOD.subarray(at, at + CHUNK_BYTES))
  return isKeepingUp
}

/** Writes the pattern as fast as the backpressure allows, and records what it receives. */
class HeedingWriter extends Recorder {
  bufferedMax = 0
  readonly #transport: Transport
  readonly #total: number
  #written = 0

  constructor(transport: Transport, total: number) {
    super()
    this.#transport = transport
    this.#total = total
  }

  begin(): void {
    this.#transport.start(this)
    this.#pump()
  }

  override onDrain(): void {
    super.onDrain()
    this.#pump()
  }

  #pump(): void {
    let isKeepingUp = true
    while (isKeepingUp && this.#written < this.#total) {
      isKeepingUp = this.#transport.write(FLOOD.subarray(this.#written, this.#written + CHUNK_BYTES))
      this.#written += CHUNK_BYTES
      this.bufferedMax = Math.max(this.bufferedMax, this.#transport.bufferedBytes)
    }
  }
}
