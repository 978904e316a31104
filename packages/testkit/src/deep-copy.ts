/** A copy that shares nothing that could be changed: what a disk gives back of what was put. What an object works out when it is asked is copied too. */
export function deepCopy<T>(value: T): T
export function deepCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Array.isArray(value)) return value.map((each: unknown) => deepCopy(each))
  return Object.fromEntries(namesOf(value).map((name): [string, unknown] => [name, deepCopy(Reflect.get(value, name))]))
}

function namesOf(value: object): string[] {
  const inherited = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(value) ?? {}))
  const accessors = inherited.filter(([name, descriptor]) => 'get' in descriptor && name !== '__proto__')
  return [...Object.keys(value), ...accessors.map(([name]) => name)]
}
