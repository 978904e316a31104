// One life of a publisher with a file outbox, until it is killed: `publishing-process.ts URL OUTBOX CLIENT_ID PROTOCOL_VERSION LIFE SEED`.
// Each message has the number of its life and its own; what is stored is told at once, by its payload. Life `drain` publishes nothing and ends
// when the outbox is empty. OUTBOX is a folder; `forgetful` is an outbox that says it is durable and is not, which the run has to notice.
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryOutbox, openClient, type OutboxStore, ProtocolVersion } from '@godwit/client'
import { fileOutbox } from '@godwit/client/file-outbox'
import { randomBelow, seededRandom } from '@godwit/testkit'

const [url = '', outbox = '', clientId = '', version = '', life = '', seed = ''] = process.argv.slice(2)
const random = seededRandom(Number(seed))

const client = await openClient(url, {
  clientId,
  protocolVersion: Number(version) === 4 ? ProtocolVersion.Mqtt311 : ProtocolVersion.Mqtt5,
  sessionExpirySeconds: 3600,
  outbox: outbox === 'forgetful' ? forgetfulOutbox() : fileOutbox(outbox),
  // Mosquitto takes 20 at QoS 2 from a client of 3.1.1; what is more it acknowledges and drops.
  inflightMaximum: 1 + randomBelow(random, version === '4' ? 20 : 100),
  reconnect: { minimumDelayMs: 20, maximumDelayMs: 100 },
  connectTimeoutMs: 2_000
})
client.on('discarded', ({ error, message }) => tell(`failed: ${message.topic} was discarded: ${error.message}`))
client.on('sessionLost', ({ resent, released }) => tell(`lost session ${resent} ${released}`))

if (life === 'drain') {
  await client.drained()
  tell('drained')
  await client.close()
} else {
  for (let number = 0; ;) {
    const burst = 1 + randomBelow(random, 40)
    for (let count = 0; count < burst; count++) publish(`${life}.${number++}`)
    // Seldom much more than can be acknowledged, so that kills find every state of an exchange.
    if (client.outbox.messages > 500) await client.drained(AbortSignal.timeout(200)).catch(() => undefined)
    await sleep(randomBelow(random, 5))
  }
}

function forgetfulOutbox(): OutboxStore {
  return Object.assign(memoryOutbox(), { isDurable: true })
}

function publish(payload: string): void {
  const qos = random() < 0.5 ? 1 : 2
  client.publish(`crash/${clientId}/${qos}`, payload, { qos }).stored.then(
    () => tell(`stored ${qos} ${payload}`),
    (error: unknown) => tell(`failed: ${payload} was not stored: ${String(error)}`)
  )
}

/** Writing to a pipe waits until it has taken everything, so that a kill takes no word back. */
function tell(line: string): void {
  process.stdout.write(`${line}\n`)
}
