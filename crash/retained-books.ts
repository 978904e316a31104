interface RetainedSent {
  readonly number: number
  readonly isRemoval: boolean
}

/** What was published to be retained: after a crash the broker must hold what it acknowledged last, or a later one. */
export class RetainedBooks {
  /** By topic, rising: the one that was acknowledged last, and those sent after it. */
  readonly #sent = new Map<string, RetainedSent[]>()
  #count = 0

  /** @returns the message's number, which is its payload unless it removes what is retained */
  send(topicName: string, isRemoval: boolean): number {
    const number = ++this.#count
    const sent = this.#sent.get(topicName) ?? [{ number: 0, isRemoval: true }]
    this.#sent.set(topicName, [...sent, { number, isRemoval }])
    return number
  }

  acknowledge(topicName: string, number: number): void {
    const sent = this.#sent.get(topicName) ?? []
    this.#sent.set(
      topicName,
      sent.filter((each) => each.number >= number)
    )
  }

  /** What may be retained now, by topic; undefined: nothing. */
  allowed(): ReadonlyMap<string, ReadonlySet<number | undefined>> {
    return new Map(
      [...this.#sent].map(([topicName, sent]) => [
        topicName,
        new Set(sent.map(({ number, isRemoval }) => (isRemoval ? undefined : number)))
      ])
    )
  }
}
