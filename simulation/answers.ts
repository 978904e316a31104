import { PacketType } from '@godwit/protocol'
import { randomBelow } from '@godwit/testkit'

/**
 * How a client answers: at once; later, each kind of answer in the order it has to ([5.0 MQTT-4.6.0-2] to
 * [5.0 MQTT-4.6.0-4]); or later in any order, as a server has to bear.
 */
export type Answering = 'prompt' | 'slow' | 'shuffled'

type AnswerType = typeof PacketType.Puback | typeof PacketType.Pubrec | typeof PacketType.Pubrel | typeof PacketType.Pubcomp

export interface Answer {
  readonly type: AnswerType
  readonly packetIdentifier: number
}

/** The acknowledgements that a client has still to send. */
export class Answers {
  readonly #random: () => number
  #waiting: Answer[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  add(answer: Answer): void {
    this.#waiting.push(answer)
  }

  forget(): void {
    this.#waiting = []
  }

  /** Takes out one that may be sent next. */
  take(answering: Answering): Answer | undefined {
    if (this.#waiting.length === 0) return undefined
    const index = answering === 'prompt' ? 0 : randomBelow(this.#random, this.#waiting.length)
    const type = this.#waiting[index]?.type
    // PUBREL has to keep its order in any case: the messages are passed on in it.
    const isOrdered = answering !== 'shuffled' || type === PacketType.Pubrel
    const [answer] = this.#waiting.splice(isOrdered ? this.#waiting.findIndex((each) => each.type === type) : index, 1)
    return answer
  }
}
