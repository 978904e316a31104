/** The keys and indexes that lead to a value of a configuration. */
export type ConfigurationPath = readonly (string | number)[]

/** As people write it: `listeners[0].port`. */
export function pathText(path: ConfigurationPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`)).join('')
}

export type Mapping = Record<string, unknown>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a key or an index leads to; undefined: nothing. */
export function valueOf(container: unknown, key: string | number): unknown {
  if (Array.isArray(container)) return typeof key === 'number' ? container[key] : undefined
  return isMapping(container) && Object.hasOwn(container, key) ? container[key] : undefined
}

export function valueAt(root: unknown, path: ConfigurationPath): unknown {
  return path.reduce<unknown>(valueOf, root)
}

/** A copy with a value set, and mappings made on the way to it. A value of another kind on the way is left: it is a mistake to report. */
export function withValueAt(root: unknown, path: ConfigurationPath, value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (typeof key === 'number') {
    if (!Array.isArray(root)) return root
    return root.toSpliced(key, 1, withValueAt(root[key], rest, value))
  }
  if (root !== undefined && !isMapping(root)) return root
  return { ...root, [key]: withValueAt(valueOf(root, key), rest, value) }
}
