/** Bytes that nobody can guess, at most 65,536: in Node and in every page, also one that was not loaded over `https:`. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length))
}
