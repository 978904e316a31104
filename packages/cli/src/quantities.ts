const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const

/** A number of bytes for people: 999 bytes, 1.2 MB. */
export function bytesText(bytes: number): string {
  let unit = 0
  let value = bytes
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1_000
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** `1 session`, `2,000 sessions`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
