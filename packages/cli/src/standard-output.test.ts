import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { StandardOutput } from './standard-output.ts'

/** A reader that takes what is written when it is told to. */
class Reader extends Writable {
  readonly chunks: string[] = []
  #take: ((error?: Error) => void) | undefined = undefined
  readonly #arrivals: (() => void)[] = []

  override _write(chunk: Buffer, _encoding: string, taken: (error?: Error | null) => void): void {
    this.chunks.push(chunk.toString('latin1'))
    this.#take = taken
    this.#arrivals.shift()?.()
  }

  /** Resolves when something is there to be taken. */
  arrival(): Promise<void> {
    return this.#take === undefined ? new Promise((resolve) => void this.#arrivals.push(resolve)) : Promise.resolve()
  }

  async take(error?: Error): Promise<void> {
    await this.arrival()
    const take = this.#take
    this.#take = undefined
    take?.(error)
  }
}

function error(code: string): Error {
  return Object.assign(new Error(code), { code })
}

describe('standard output', () => {
  test('writes what comes together at once, and tells of each piece when it is taken', async () => {
    const reader = new Reader()
    const output = new StandardOutput(reader)
    const written: string[] = []
    for (const text of ['a', 'b', 'c']) void output.write(Buffer.from(text), () => void written.push(text))
    await reader.arrival()
    expect([reader.chunks, written]).toEqual([['abc'], []])
    void output.write(Buffer.from('d'), () => void written.push('d'))
    await reader.take()
    await reader.arrival()
    expect([reader.chunks, written]).toEqual([
      ['abc', 'd'],
      ['a', 'b', 'c']
    ])
    const end = output.end()
    await reader.take()
    await end
    expect(written).toEqual(['a', 'b', 'c', 'd'])
  })

  test('holds writers back when the reader is slow', async () => {
    const reader = new Reader()
    const output = new StandardOutput(reader)
    const mebibyte = Buffer.alloc(1024 * 1024)
    expect(output.write(Buffer.from('a'))).toBeUndefined()
    const room = output.write(mebibyte)
    expect(room).toBeInstanceOf(Promise)
    await reader.take()
    await room
    expect(output.write(Buffer.from('b'))).toBeUndefined()
  })

  test('whose reader has gone is closed without an error: what was not taken is never told of', async () => {
    const reader = new Reader()
    const output = new StandardOutput(reader)
    const written: string[] = []
    void output.write(Buffer.from('a'), () => void written.push('a'))
    await reader.take(error('EPIPE'))
    expect(await output.closed).toBeUndefined()
    expect(output.write(Buffer.from('b'), () => void written.push('b'))).toBeUndefined()
    await output.end()
    expect([written, output.error]).toEqual([[], undefined])
  })

  test('that cannot be written to is closed with the error, and lets writers go', async () => {
    const reader = new Reader()
    const output = new StandardOutput(reader)
    const room = output.write(Buffer.alloc(2 * 1024 * 1024))
    await reader.take(error('ENOSPC'))
    await room
    expect((await output.closed)?.message).toBe('ENOSPC')
    expect(output.error?.message).toBe('ENOSPC')
  })
})
