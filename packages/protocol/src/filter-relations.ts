const DOLLAR = 0x24

/**
 * Whether every Topic Name that matches `covered` matches `covering` as well, both valid filters without a share:
 * `alarms/#` covers `alarms/+/fire`, and `alarms` itself.
 */
export function filterCovers(covering: string, covered: string): boolean {
  if (isKeptApart(covering, covered)) return false
  const wide = covering.split('/')
  const narrow = covered.split('/')
  // `#` reaches every topic from its first level on, and so does `+/#`: there is no topic without a first level.
  if (covered === '#') return covering === '#' || covering === '+/#'
  for (const [index, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[index]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
    // `sport/#` also matches its parent level, `sport` [5.0 4.7.1.2].
    if (index === narrow.length - 1) return wide.length === narrow.length || isRestOfAll(wide, index + 1)
  }
  return false
}

/** Whether there is a Topic Name that matches both filters, valid ones without a share. */
export function filtersMeet(one: string, other: string): boolean {
  if (isKeptApart(one, other) || isKeptApart(other, one)) return false
  const a = one.split('/')
  const b = other.split('/')
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index++) {
    if (a[index] === '#' || b[index] === '#') return true
    if (a[index] !== '+' && b[index] !== '+' && a[index] !== b[index]) return false
  }
  return a.length === b.length || isRestOfAll(a.length > b.length ? a : b, shared)
}

/** [5.0 MQTT-4.7.2-1]: a wildcard at the start does not reach the topics that begin with $. */
function isKeptApart(wide: string, narrow: string): boolean {
  return narrow.charCodeAt(0) === DOLLAR && wide.charCodeAt(0) !== DOLLAR
}

function isRestOfAll(levels: readonly string[], from: number): boolean {
  return levels.length === from + 1 && levels[from] === '#'
}
