/** Whole from 100 on, else three digits at most. */
export function numberText(value: number): string {
  const digits = Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 }
  return value.toLocaleString('en', digits)
}

/** `850 µs`, `1.2 ms`, `3.4 s`. */
export function durationText(ms: number): string {
  if (ms < 1) return `${numberText(ms * 1000)} µs`
  return ms < 1000 ? `${numberText(ms)} ms` : `${numberText(ms / 1000)} s`
}

/** `× 1.25`. */
export function ratioText(ratio: number): string {
  const digits = ratio < 0.1 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 }
  return `× ${ratio.toLocaleString('en', digits)}`
}
