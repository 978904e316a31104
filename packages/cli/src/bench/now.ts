/** In milliseconds since the Unix epoch, with fractions: the same in all threads, as the client counts it, and steady while a bench runs. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
