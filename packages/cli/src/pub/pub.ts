import { setTimeout as delay } from 'node:timers/promises'
import { type Client, ClientError, connect, openClient } from '@godwit/client'
import { reasonCodeName } from '@godwit/protocol'
import { complainOfClient, exitCodeOf, type Tell, teller } from '../complain-of-client.ts'
import { followConnection } from '../connection/connection-log.ts'
import { ExitCode } from '../exit-code.ts'
import { countText } from '../quantities.ts'
import { stopSignal } from '../signals.ts'
import { StandardOutput } from '../standard-output.ts'
import type { PubFlags } from './pub-flags.ts'
import { type PubPlan, pubPlanOf } from './pub-plan.ts'
import { type Published, Publisher } from './publisher.ts'
import { StallWatch } from './stall-watch.ts'

/** Why publishing came to an end before all was acknowledged. */
type Cut = 'timed-out' | 'interrupted' | 'nobody-reads' | ClientError

/** `godwit pub [topic] [payload]`: publishes messages, and waits until the server has acknowledged them. */
export async function pub(args: readonly string[], flags: PubFlags): Promise<ExitCode> {
  const tell = teller(flags.quiet)
  try {
    const plan = await pubPlanOf(args, flags, tell)
    const client = await (plan.isDurable ? openClient : connect)(plan.urls, plan.options)
    followConnection(client, tell, flags.debug)
    try {
      return await new Publishing(client, plan, flags, tell).run()
    } finally {
      await client.close({ drainMs: 0, sessionExpirySeconds: plan.sessionExpirySeconds })
    }
  } catch (error) {
    return complainOfClient(error, tell)
  }
}

/** One run of `godwit pub`, from its first message to what became of the last. */
class Publishing {
  readonly #client: Client
  readonly #plan: PubPlan
  readonly #flags: PubFlags
  readonly #tell: Tell
  readonly #output: StandardOutput | undefined
  readonly #watch: StallWatch
  readonly #publisher: Publisher
  #failed = 0
  #firstError: ClientError | undefined = undefined
  #isCut = false

  constructor(client: Client, plan: PubPlan, flags: PubFlags, tell: Tell) {
    this.#client = client
    this.#plan = plan
    this.#flags = flags
    this.#tell = tell
    this.#output = flags.json === true ? new StandardOutput(process.stdout) : undefined
    this.#watch = new StallWatch(plan.timeoutMs)
    this.#publisher = new Publisher(client, {
      isDurable: plan.isDurable,
      timestamps: flags.timestamp === true,
      onFinished: (published) => this.#onFinished(published)
    })
  }

  async run(): Promise<ExitCode> {
    const done = this.#publishAll()
    const cut = await Promise.race([done, this.#cut()])
    this.#watch.rest()
    if (cut !== undefined) {
      this.#isCut = true
      // Whoever waits for more of it need not.
      process.stdin.destroy()
      done.catch(() => undefined)
      for (const published of this.#publisher.underWay) this.#report(published)
    }
    await this.#output?.end()
    return this.#verdict(cut)
  }

  async #publishAll(): Promise<undefined> {
    const { publications, isDurable, delayMs } = this.#plan
    let isFirst = true
    for await (const publication of publications) {
      if (delayMs > 0 && !isFirst) {
        await (isDurable ? undefined : this.#client.drained())
        await delay(delayMs)
      }
      isFirst = false
      if (this.#isCut) return undefined
      // Whatever is safe on this machine may take its time.
      if (!isDurable && this.#publisher.underWay.size === 0) this.#watch.expect()
      await this.#publisher.publish(publication)
    }
    this.#watch.expect()
    if (isDurable) this.#client.on('delivered', () => this.#watch.expect())
    await this.#client.drained()
    return undefined
  }

  async #cut(): Promise<Cut> {
    const gaveUp = new Promise<ClientError>((resolve) => {
      this.#client.on('closed', ({ error }) => error !== undefined && resolve(error))
      // To wait does not help where the server has looked and says no.
      this.#client.on('connectFailed', ({ error }) => error.code !== 'unreachable' && error.code !== 'timeout' && resolve(error))
    })
    return Promise.race([
      this.#watch.stalled.then((): Cut => 'timed-out'),
      stopSignal().then((): Cut => 'interrupted'),
      ...(this.#output === undefined ? [] : [this.#output.closed.then((): Cut => 'nobody-reads')]),
      gaveUp
    ])
  }

  #onFinished(published: Published): void {
    if (this.#isCut) return
    if (this.#publisher.underWay.size > 0) this.#watch.expect()
    else if (!this.#plan.isDurable) this.#watch.rest()
    this.#report(published)
    const { acknowledgement, error, publication } = published
    if (error !== undefined) {
      this.#failed++
      if (this.#firstError === undefined) this.#tell(`${publication.topic}: ${error.message}`)
      this.#firstError ??= error
    } else if (this.#flags.debug === true && acknowledgement !== undefined) {
      this.#tell(`${publication.topic}: ${publication.options.qos === 0 ? 'sent' : reasonCodeName(acknowledgement.reasonCode)}`)
    }
  }

  #report({ publication: { topic, options }, bytes, isStored, acknowledgement, error, elapsedMs }: Published): void {
    if (this.#output === undefined) return
    const { qos, retain } = options
    const outcome =
      acknowledgement !== undefined ? (qos === 0 ? 'sent' : 'acknowledged') : error !== undefined ? 'failed' : undefined
    const open = this.#plan.isDurable && isStored ? 'stored' : 'not-acknowledged'
    const reasonCode = qos === 0 ? undefined : (acknowledgement?.reasonCode ?? error?.reasonCode)
    const line = {
      topic,
      qos,
      retain,
      bytes,
      outcome: outcome ?? open,
      ...(reasonCode === undefined ? {} : { reasonCode, reason: reasonCodeName(reasonCode) }),
      ...(error === undefined ? {} : { error: error.message }),
      ...(outcome === undefined ? {} : { elapsedMs: Number(elapsedMs.toFixed(3)) })
    }
    void this.#output.write(Buffer.from(`${JSON.stringify(line)}\n`))
  }

  #verdict(cut: Cut | undefined): ExitCode {
    if (this.#failed > 1) this.#tell(`${countText(this.#failed, 'message')} failed, that was the first`)
    if (this.#firstError !== undefined) return exitCodeOf(this.#firstError)
    if (cut === undefined || cut === 'nobody-reads') return ExitCode.Done
    if (cut instanceof ClientError) this.#tell(cut.message)
    const { underWay } = this.#publisher
    if (this.#plan.isDurable && [...underWay].every(({ isStored }) => isStored)) {
      const { messages } = this.#client.outbox
      if (messages === 0) return ExitCode.Done
      this.#tell(`${countText(messages, 'message')} stored in ${this.#flags.outbox ?? ''}, and not acknowledged yet`)
      return ExitCode.Stored
    }
    if (cut instanceof ClientError) return exitCodeOf(cut)
    const left = `${countText(underWay.size, 'message')} not acknowledged`
    if (cut === 'timed-out') {
      this.#tell(`${left}: nothing has come for ${this.#plan.timeoutMs / 1000} s`)
      return ExitCode.TimedOut
    }
    if (underWay.size === 0) return ExitCode.Done
    this.#tell(`interrupted: ${left}`)
    return ExitCode.Failed
  }
}
