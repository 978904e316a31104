import type { MemoryStore, Store } from '@godwit/storage'

/** What a store tells that answers in a later turn: what was so when it was asked, or what is so by then. */
export type LateAnswers = 'as asked' | 'as answered'

/** A store as one on another machine would be. */
export function lateStore(store: MemoryStore, later: (task: () => void) => void, answers: LateAnswers): Store {
  const answer = <T>(read: () => T): Promise<T> => {
    if (answers === 'as answered') return new Promise((resolve) => later(() => resolve(read())))
    const value = read()
    return new Promise((resolve) => later(() => resolve(value)))
  }
  const reads: Pick<Store, 'read' | 'readRetained'> = {
    read: (positions, limit) => answer(() => store.read(positions, limit)),
    readRetained: (topicFilter, after, limit) => answer(() => store.readRetained(topicFilter, after, limit))
  }
  return new Proxy<Store>(store, {
    get(_, name): unknown {
      const member: unknown = Reflect.get(name in reads ? reads : store, name)
      const bound: unknown = typeof member === 'function' ? member.bind(store) : member
      return bound
    }
  })
}
