/**
 * - `store-failing`: the store cannot keep messages, or soon will not be able to; nothing is accepted meanwhile that it would
 *   have to keep
 * - `data-damaged`: something in the store turned out not to be what was written; lasts until the broker is started again
 * - `data-set-aside`: the data was damaged, and the broker began with an empty store; lasts until it is started again
 */
export type AlarmName = 'store-failing' | 'data-damaged' | 'data-set-aside'

/** Whether clients are served as promised while an alarm is raised, or better sent elsewhere. */
const IS_SERVING: Readonly<Record<AlarmName, boolean>> = {
  'store-failing': false,
  'data-damaged': true,
  'data-set-aside': true
}

export interface Alarm {
  readonly name: AlarmName
  readonly reason: string
  /** ISO 8601, in UTC. */
  readonly since: string
}

/** The alarms that are raised, at most one of each name. */
export class Alarms {
  readonly #raised = new Map<AlarmName, Alarm>()

  /** What is raised already keeps its reason and its time. */
  raise(name: AlarmName, reason: string): void {
    if (!this.#raised.has(name)) this.#raised.set(name, { name, reason, since: new Date().toISOString() })
  }

  clear(name: AlarmName): void {
    this.#raised.delete(name)
  }

  /** In the order in which they were raised. */
  get raised(): readonly Alarm[] {
    return [...this.#raised.values()]
  }

  /** Whether clients can be served as promised, in spite of them. */
  get isServing(): boolean {
    return this.raised.every(({ name }) => IS_SERVING[name])
  }
}
