import {
  type Client,
  type ClientOptions,
  type ClientState,
  openClient,
  type OutboxStore,
  type QoS,
  type ScramOptions,
  scramSha256
} from '../index.ts'

/** A client in a page, and what a test has it do: everything crosses as JSON. */
export interface ClientPage {
  /** Rejects as `openClient` does. */
  open(url: string, options: PageOptions): Promise<void>
  /** Publishes in this order; resolves once all of it is stored. */
  publish(topic: string, payloads: readonly string[], qos: QoS): Promise<void>
  /** Resolves once the server has acknowledged everything. */
  drained(): Promise<void>
  /** Resolves once it is granted. */
  subscribe(filter: string, qos: QoS): Promise<void>
  /** The payloads that came, in order, once there are so many. */
  received(count: number): Promise<readonly string[]>
  untilState(state: ClientState): Promise<void>
  /** Messages that wait in the outbox. */
  waiting(): number
  close(): Promise<void>
}

export interface PageOptions extends Pick<ClientOptions, 'clientId' | 'sessionExpirySeconds' | 'reconnect'> {
  /** Of the durable outbox; undefined: in memory. */
  readonly outboxName?: string | undefined
  /** Authenticates with SCRAM. */
  readonly scram?: ScramOptions | undefined
}

/** @param makeOutbox the durable outbox of browsers, by name */
export function clientPage(makeOutbox: (name: string) => OutboxStore): ClientPage {
  let opened: Client | undefined
  const payloads: string[] = []
  const waiting = new Set<() => void>()

  function client(): Client {
    if (opened === undefined) throw new Error('the page has opened no client')
    return opened
  }

  function until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  }

  function checkWaiting(): void {
    for (const check of waiting) check()
  }

  return {
    async open(url, { outboxName, scram, ...options }): Promise<void> {
      const outbox = outboxName === undefined ? undefined : makeOutbox(outboxName)
      const authentication = scram === undefined ? undefined : scramSha256(scram)
      opened = await openClient(url, { ...options, outbox, authentication })
      opened.on('state', checkWaiting)
    },
    async publish(topic, texts, qos): Promise<void> {
      await Promise.all(texts.map((text) => client().publish(topic, text, { qos }).stored))
    },
    drained: () => client().drained(),
    async subscribe(filter, qos): Promise<void> {
      const subscription = client().subscribe(filter, { qos }, (message) => {
        payloads.push(message.text())
        checkWaiting()
      })
      await subscription.granted
    },
    async received(count): Promise<readonly string[]> {
      await until(() => payloads.length >= count)
      return payloads
    },
    untilState: (state) => until(() => client().state === state),
    waiting: () => client().outbox.messages,
    async close(): Promise<void> {
      await client().close()
    }
  }
}
