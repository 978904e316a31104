// One client, measured: `client-process.ts LIBRARY publish|receive QOS MESSAGES PAYLOAD_BYTES URL`. Writes `ready`, and then its figures as JSON.
import { type LibraryName, openLibrary } from './library.ts'

/** Published together, and all acknowledged before the next: neither library is slowed down by a queue of its own. */
const TOGETHER = 500
/** Until the code is compiled. */
const WARM_UP_MESSAGES = 20_000

const [library = '', role = '', qosText = '', messagesText = '', bytesText = '', url = ''] = process.argv.slice(2)
const name: LibraryName = library === 'godwit' ? 'godwit' : 'mqtt.js'
const qos = qosText === '2' ? 2 : qosText === '1' ? 1 : 0
const messages = Number(messagesText)
const client = await openLibrary(name, url)

if (role === 'publish') {
  const payload = new Uint8Array(Number(bytesText)).fill(0x2e)
  const publish = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += TOGETHER) await client.publish(TOGETHER, payload, qos)
  }
  await publish(WARM_UP_MESSAGES)
  const measured = begin()
  await publish(messages)
  measured()
} else {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let received = 0
  let measured: (() => void) | undefined
  await client.subscribe(qos, () => {
    received++
    if (received === WARM_UP_MESSAGES) measured = begin()
    if (received === WARM_UP_MESSAGES + messages) resolve(undefined)
  })
  console.log('ready')
  await promise
  measured?.()
}
await client.close()

function begin(): () => void {
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const seconds = (performance.now() - startedAt) / 1000
    const { user, system } = process.cpuUsage(cpu)
    console.log(
      JSON.stringify({
        perSecond: messages / seconds,
        cpuMicroseconds: (user + system) / messages,
        megabytes: process.resourceUsage().maxRSS / 1024
      })
    )
  }
}
