/** When something happens that must not happen at once. A simulation has its own. */
export interface Turns {
  /** Once what is being done is done, before anything else comes in. */
  readonly soon: (task: () => void) => void
  /** At the end of the turn of the event loop, when all sockets that had something were read. */
  readonly later: (task: () => void) => void
  readonly after: (milliseconds: number, task: () => void) => void
}

export const EVENT_LOOP_TURNS: Turns = {
  soon: (task) => process.nextTick(task),
  later: (task) => void setImmediate(task),
  after: (milliseconds, task) => void setTimeout(task, milliseconds)
}
