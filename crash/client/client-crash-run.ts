import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@godwit/client'
import { randomBelow, seededRandom } from '@godwit/testkit'
import { ClientLedger } from './client-ledger.ts'
import { PublisherLives } from './publisher-lives.ts'
import type { MortalServer } from './mortal-server.ts'

const PATIENCE_MS = 20_000
/** From the first message of a life to its end. */
const LIFE_MS_MAX = 300

export interface ClientCrashRunOptions {
  readonly seed: number
  /** How often publishers are killed. */
  readonly kills: number
  readonly server: MortalServer
  /** Of ten kills, how many end the server as well. */
  readonly serverEnds: number
  /** Publishers whose outbox only says that it is durable: the run must fail. */
  readonly isForgetful?: boolean
  /** For what was stored to arrive in the end. Default: 20 s. */
  readonly patienceMs?: number
  readonly onKill?: (kill: number) => void
}

export interface ClientCrashRunResult {
  readonly failures: readonly string[]
  readonly stored: number
  readonly received: number
  /** How often the server ended. */
  readonly serverEnds: number
  /** How often it did not have the session of a publisher. */
  readonly lostSessions: number
  /** The outboxes, kept if something failed. */
  readonly folder: string | undefined
}

/** Two publishers with file outboxes, killed again and again, and a subscriber that takes all they stored. */
export async function clientCrashRun(options: ClientCrashRunOptions): Promise<ClientCrashRunResult> {
  const { seed, kills, server, serverEnds, isForgetful = false, patienceMs = PATIENCE_MS, onKill } = options
  const random = seededRandom(seed)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-client-crash-'))
  const ledger = new ClientLedger()
  const url = await server.start()
  const subscriber = await connect(url, {
    clientId: 'crash-subscriber',
    sessionExpirySeconds: 3600,
    reconnect: { minimumDelayMs: 20, maximumDelayMs: 100 }
  })
  subscriber.on('sessionLost', () => ledger.fails('the server lost the session of the subscriber'))
  const subscription = subscriber.subscribe('crash/#', { qos: 2 }, (message) => {
    ledger.receives(message.topic, message.text(), message.dup)
  })
  await subscription.granted
  const publishers = ([4, 5] as const).map((protocolVersion) => {
    const clientId = `publisher-${protocolVersion}`
    return new PublisherLives({
      clientId,
      protocolVersion,
      outbox: isForgetful ? 'forgetful' : join(folder, clientId),
      url,
      ledger
    })
  })
  let ended = 0
  for (const publisher of publishers) publisher.start(randomBelow(random, 2 ** 31))
  for (let kill = 0; kill < kills; kill++) {
    const publisher = publishers[randomBelow(random, publishers.length)]
    // Some die while they start or take up what an earlier life left.
    if (random() < 0.8) await publisher?.atWork
    await sleep(randomBelow(random, LIFE_MS_MAX))
    if (randomBelow(random, 10) < serverEnds) {
      ended++
      await server.end()
      if (random() < 0.5) await publisher?.kill()
      await server.start()
    }
    await publisher?.kill()
    publisher?.start(randomBelow(random, 2 ** 31))
    onKill?.(kill)
  }
  for (const publisher of publishers) await publisher.kill()
  await Promise.all(publishers.map((publisher) => publisher.drain()))
  const patience = AbortSignal.timeout(patienceMs)
  while (ledger.missing.length > 0 && !patience.aborted) await sleep(20)
  await subscriber.close()
  await server.stop()
  const { failures, stored, received } = ledger
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true })
  const lostSessions = publishers.reduce((sum, publisher) => sum + publisher.lostSessions, 0)
  return { failures, stored, received, serverEnds: ended, lostSessions, folder: failures.length === 0 ? undefined : folder }
}
