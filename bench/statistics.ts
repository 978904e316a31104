/** The middle of some values, or between the two in the middle. NaN: there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** How far values lie apart, (highest − lowest) / median; 0 where the median is. */
export function spread(values: readonly number[]): number {
  const middle = median(values)
  return middle === 0 || Number.isNaN(middle) ? 0 : (Math.max(...values) - Math.min(...values)) / Math.abs(middle)
}

/**
 * The value that so large a part of all, from 0 to 1, does not exceed. NaN: there are none.
 * With fewer than 1 / (1 − part) values it is the highest.
 */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN
}

/** Whole from 100 on, else three digits at most; '-' for NaN. */
export function formatted(value: number): string {
  if (Number.isNaN(value)) return '-'
  const digits = Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: Math.abs(value) < 1 ? 2 : 3 }
  return value.toLocaleString('en', digits)
}
