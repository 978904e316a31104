import type { MemoryStore, Store } from '@godwit/storage'

/** A store as one on another machine would be: what is read comes in a later turn, as it was when it was asked for. */
export function lateStore(store: MemoryStore, later: (task: () => void) => void): Store {
  const answer = <T>(value: T): Promise<T> => new Promise((resolve) => later(() => resolve(value)))
  const reads: Pick<Store, 'read' | 'readRetained'> = {
    read: (positions, limit) => answer(store.read(positions, limit)),
    readRetained: (topicFilter, after, limit) => answer(store.readRetained(topicFilter, after, limit))
  }
  return new Proxy<Store>(store, {
    get(_, name): unknown {
      const member: unknown = Reflect.get(name in reads ? reads : store, name)
      const bound: unknown = typeof member === 'function' ? member.bind(store) : member
      return bound
    }
  })
}
