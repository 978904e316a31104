import { validateTopicFilter, validateTopicName } from '@godwit/protocol'

/** A field is not what is accepted; the message names it and what is. */
export class FieldMistake extends Error {
  override readonly name = 'FieldMistake'
}

/** How much of a wrong value is shown. */
const SHOWN_MAX = 60

/** The fields of a JSON object, each asked for once: what nobody asks for does not belong there. */
export class Fields {
  readonly #path: string
  readonly #values: ReadonlyMap<string, unknown>
  readonly #asked = new Set<string>()

  /** @param path what a mistake is named by; empty: the line itself */
  constructor(value: unknown, path = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FieldMistake(`${path === '' ? 'it' : path} is ${shown(value)}; accepted is an object`)
    }
    this.#path = path
    this.#values = new Map(Object.entries(value))
  }

  /** To be called when all fields were asked for. */
  end(): void {
    for (const name of this.#values.keys()) {
      const accepted = [...this.#asked].join(', ')
      if (!this.#asked.has(name)) throw new FieldMistake(`${this.#pathOf(name)} is no field; accepted are ${accepted}`)
    }
  }

  has(name: string): boolean {
    this.#asked.add(name)
    return this.#values.has(name)
  }

  text(name: string): string {
    const value = this.#get(name)
    return typeof value === 'string' && value.isWellFormed() ? value : this.#refuse(name, value, 'a text')
  }

  topicName(name: string): string {
    return this.#topic(name, 'a Topic Name', validateTopicName)
  }

  topicFilter(name: string): string {
    return this.#topic(name, 'a Topic Filter', validateTopicFilter)
  }

  boolean(name: string): boolean {
    const value = this.#get(name)
    return typeof value === 'boolean' ? value : this.#refuse(name, value, 'true or false')
  }

  oneOf<const T>(name: string, accepted: readonly T[]): T {
    const value = this.#get(name)
    const found = accepted.find((one) => one === value)
    return found ?? this.#refuse(name, value, accepted.map((one) => JSON.stringify(one)).join(', '))
  }

  integer(name: string, min: number, max: number): number {
    const value = this.#get(name)
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    return this.#refuse(name, value, `a whole number from ${min} to ${max}`)
  }

  sequence(name: string): number {
    return this.integer(name, 0, Number.MAX_SAFE_INTEGER)
  }

  /** Milliseconds since the Unix epoch. */
  time(name: string): number {
    const value = this.#get(name)
    return typeof value === 'number' && value >= 0 ? value : this.#refuse(name, value, 'a number from 0')
  }

  /** Or `null` for what has no end. */
  numberOrNever(name: string): number {
    const value = this.#get(name)
    if (value === null) return Infinity
    return typeof value === 'number' && value >= 0 ? value : this.#refuse(name, value, 'a number from 0, or null')
  }

  /** In UTF-8, or under `nameBase64` in base64. */
  bytes(name: string): Buffer {
    const encodedName = `${name}Base64`
    if (!this.has(encodedName)) return Buffer.from(this.text(name))
    if (this.has(name)) throw new FieldMistake(`${this.#pathOf(name)} and ${encodedName} are both there; accepted is one of them`)
    const encoded = this.text(encodedName)
    const bytes = Buffer.from(encoded, 'base64')
    return bytes.toString('base64') === encoded ? bytes : this.#refuse(encodedName, encoded, 'base64')
  }

  list<T>(name: string, read: (value: unknown, path: string) => T): T[] {
    const value = this.#get(name)
    if (!Array.isArray(value)) return this.#refuse(name, value, 'a list')
    return value.map((item: unknown, index) => read(item, `${this.#pathOf(name)}[${index}]`))
  }

  object<T>(name: string, read: (fields: Fields) => T): T {
    return readObject(this.#get(name), this.#pathOf(name), read)
  }

  objects<T>(name: string, read: (fields: Fields) => T): T[] {
    return this.list(name, (value, path) => readObject(value, path, read))
  }

  integers(name: string, min: number, max: number): number[] {
    return this.list(name, (value, path) => {
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
      throw new FieldMistake(`${path} is ${shown(value)}; accepted is a whole number from ${min} to ${max}`)
    })
  }

  #topic(name: string, kind: string, validate: (topic: string) => string | undefined): string {
    const topic = this.text(name)
    const reason = validate(topic)
    return reason === undefined ? topic : this.#refuse(name, topic, `${kind}, and ${reason}`)
  }

  #get(name: string): unknown {
    this.#asked.add(name)
    return this.#values.get(name)
  }

  #refuse(name: string, value: unknown, accepted: string): never {
    const is = value === undefined ? 'missing' : shown(value)
    throw new FieldMistake(`${this.#pathOf(name)} is ${is}; accepted is ${accepted}`)
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }
}

/** Reads an object to its end. */
export function readObject<T>(value: unknown, path: string, read: (fields: Fields) => T): T {
  const fields = new Fields(value, path)
  const object = read(fields)
  fields.end()
  return object
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`
}
