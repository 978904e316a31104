import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { FORMAT_VERSION } from './layout.ts'
import { damaged } from './store-error.ts'

const FORMAT_NAME = 'godwit-store'

/** The record that says what a data file holds. */
export function writeFormat(writer: ByteWriter): void {
  writer.text(FORMAT_NAME)
  writer.varint(FORMAT_VERSION)
}

/**
 * The version of the format that a data file holds.
 *
 * @throws StoreError if it does not say, or holds something else
 */
export function readFormat(folder: string, value: Uint8Array | undefined): number {
  if (value === undefined) throw damaged(`${folder} does not say what it holds`)
  const reader = new ByteReader(value)
  if (reader.text() !== FORMAT_NAME) throw damaged(`${folder} holds something other than a Godwit store`)
  return reader.varint()
}
