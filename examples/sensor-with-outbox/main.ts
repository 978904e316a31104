// A sensor whose measurements arrive, whatever happens to the link, to this process or to power in between.
import { setTimeout as sleep } from 'node:timers/promises'
import { openClient } from '@godwit/client'
import { fileOutbox } from '@godwit/client/file-outbox'

const [url = 'mqtt://localhost', folder = './outbox', periodMs = '1000'] = process.argv.slice(2)

// Resolves whether there is a network or not. The client identifier is kept in the outbox.
const client = await openClient(url, {
  outbox: fileOutbox(folder),
  outboxLimits: { messages: 1_000_000, ageMs: 7 * 86_400_000 },
  whenOutboxFull: 'drop-oldest'
})
client.on('state', ({ state }) => console.log(state))
client.on('discarded', ({ message, error }) => console.error(`${message.topic}: ${error.message}`))
if (client.outbox.messages > 0) console.log(`${client.outbox.messages} wait from before`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

while (!stop.signal.aborted) {
  const at = new Date().toISOString()
  await client.publish('greenhouse/7/temperature', { at, celsius: measure() }, { qos: 1 }).stored
  // From here on it is on the disk: a sensor with a memory of its own could now forget it.
  console.log(`stored ${at}`)
  await sleep(Number(periodMs), undefined, { signal: stop.signal }).catch(() => undefined)
}

const { undelivered } = await client.close()
console.log(`${undelivered} wait for the next start`)

function measure(): number {
  return Math.round(200 + 20 * Math.sin(Date.now() / 60_000)) / 10
}
