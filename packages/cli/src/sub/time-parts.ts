const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAY_MS = 86_400_000

type Part = (time: Date, epochMs: number) => string

/** What strftime(3) says for each letter, in local time and the C locale; and N, nanoseconds, which mosquitto_sub adds. */
const PARTS: Readonly<Record<string, Part>> = {
  a: (time) => dayOf(time).slice(0, 3),
  A: (time) => dayOf(time),
  b: (time) => monthOf(time).slice(0, 3),
  B: (time) => monthOf(time),
  c: (time) => format('a b e H:M:S Y', time),
  C: (time) => digits(Math.floor(time.getFullYear() / 100), 2),
  d: (time) => digits(time.getDate(), 2),
  D: (time) => format('m/d/y', time),
  e: (time) => `${time.getDate()}`.padStart(2),
  F: (time) => format('Y-m-d', time),
  g: (time) => digits(isoWeekOf(time).year % 100, 2),
  G: (time) => `${isoWeekOf(time).year}`,
  h: (time) => monthOf(time).slice(0, 3),
  H: (time) => digits(time.getHours(), 2),
  I: (time) => digits(time.getHours() % 12 || 12, 2),
  j: (time) => digits(dayOfYear(time) + 1, 3),
  k: (time) => `${time.getHours()}`.padStart(2),
  l: (time) => `${time.getHours() % 12 || 12}`.padStart(2),
  m: (time) => digits(time.getMonth() + 1, 2),
  M: (time) => digits(time.getMinutes(), 2),
  n: () => '\n',
  N: (_time, epochMs) => nanosecondsOf(epochMs),
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  P: (time) => (time.getHours() < 12 ? 'am' : 'pm'),
  r: (time) => format('I:M:S p', time),
  R: (time) => format('H:M', time),
  s: (_time, epochMs) => `${Math.floor(epochMs / 1000)}`,
  S: (time) => digits(time.getSeconds(), 2),
  t: () => '\t',
  T: (time) => format('H:M:S', time),
  u: (time) => `${time.getDay() || 7}`,
  U: (time) => digits(Math.floor((dayOfYear(time) + 7 - time.getDay()) / 7), 2),
  V: (time) => digits(isoWeekOf(time).week, 2),
  w: (time) => `${time.getDay()}`,
  W: (time) => digits(Math.floor((dayOfYear(time) + 7 - ((time.getDay() + 6) % 7)) / 7), 2),
  x: (time) => format('m/d/y', time),
  X: (time) => format('H:M:S', time),
  y: (time) => digits(time.getFullYear() % 100, 2),
  Y: (time) => `${time.getFullYear()}`,
  z: (time) => zoneOf(time),
  Z: (time) => /\(([^)]+)\)/.exec(time.toString())?.[1] ?? zoneOf(time)
}

/** The letters that `timePart` knows. */
export const TIME_LETTERS: readonly string[] = Object.keys(PARTS)

/** @param epochMs milliseconds since the Unix epoch, with fractions */
export function timePart(letter: string, epochMs: number): string {
  return PARTS[letter]?.(new Date(Math.floor(epochMs)), epochMs) ?? ''
}

/** 2016-08-10T09:47:38+0100 */
export function isoTime(epochMs: number): string {
  return format('Y-m-dTH:M:Sz', new Date(Math.floor(epochMs)), 'T')
}

/** 2020-05-06T22:12:00.000000+0100 */
export function isoTimeMicroseconds(epochMs: number): string {
  return isoTime(epochMs).replace(/(?=[+-]\d{4}$)/, `.${nanosecondsOf(epochMs).slice(0, 6)}`)
}

/** 1470818943.786368000 */
export function unixTime(epochMs: number): string {
  return `${Math.floor(epochMs / 1000)}.${nanosecondsOf(epochMs)}`
}

/** Of the second, nine digits; our clock knows the first six. */
function nanosecondsOf(epochMs: number): string {
  const microseconds = Math.floor((epochMs - Math.floor(epochMs / 1000) * 1000) * 1000)
  return `${digits(microseconds, 6)}000`
}

/** Each letter that is one of the parts, but those of `literal`. */
function format(letters: string, time: Date, literal = ''): string {
  return letters.replaceAll(/[a-z]/gi, (letter) => (literal.includes(letter) ? letter : timePart(letter, time.getTime())))
}

function digits(value: number, count: number): string {
  return `${value}`.padStart(count, '0')
}

function dayOf(time: Date): string {
  return DAYS[time.getDay()] ?? ''
}

function monthOf(time: Date): string {
  return MONTHS[time.getMonth()] ?? ''
}

/** From 0; by the calendar, since a day need not have 24 hours. */
function dayOfYear(time: Date): number {
  return (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - Date.UTC(time.getFullYear(), 0, 1)) / DAY_MS
}

/** ISO 8601: the week belongs to the year that has its Thursday. */
function isoWeekOf(time: Date): { year: number; week: number } {
  const thursday = new Date(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate() + 4 - (time.getDay() || 7)))
  const year = thursday.getUTCFullYear()
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1 }
}

/** +0100 */
function zoneOf(time: Date): string {
  const minutes = -time.getTimezoneOffset()
  const sign = minutes < 0 ? '-' : '+'
  return `${sign}${digits(Math.floor(Math.abs(minutes) / 60), 2)}${digits(Math.abs(minutes) % 60, 2)}`
}
