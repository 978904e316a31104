import { readFileSync, writeFileSync } from 'node:fs'

/** Named rows of named numbers, as they are kept in a JSON file. */
export type NumbersTable = Readonly<Record<string, Readonly<Record<string, number>>>>

/** @throws TypeError if the file holds something else */
export function readNumbers(file: URL): NumbersTable {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (!isTable(value)) throw new TypeError(`${file.pathname}: not a table of numbers`)
  return value
}

/** Three digits are kept of what is below 100, else whole numbers. */
export function writeNumbers(file: URL, table: NumbersTable): void {
  const round = (value: number): number => (Math.abs(value) < 100 ? Number(value.toPrecision(3)) : Math.round(value))
  const rows = Object.entries(table).map(([name, row]) => [
    name,
    Object.fromEntries(Object.entries(row).map(([kind, value]) => [kind, round(value)]))
  ])
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`)
}

function isTable(value: unknown): value is NumbersTable {
  return isRecord(value) && Object.values(value).every((row) => isRecord(row) && Object.values(row).every(Number.isFinite))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
