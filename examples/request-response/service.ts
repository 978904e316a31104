// Answers requests for prices. Several of them share the requests.
import { connect, type Message } from '@godwit/client'

const [url = 'mqtt://localhost'] = process.argv.slice(2)
const prices = new Map([
  ['tea', 3.2],
  ['coffee', 2.8]
])

const client = await connect(url)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void client.close())

// A request that cannot be answered is told by the event, and by its sender's timeout.
client.on('handlerFailed', ({ error, message }) => console.error(`${message.topic}: ${String(error)}`))
await client.subscribe('$share/prices/svc/price', { qos: 1 }, answer).granted
console.log('ready')

async function answer(request: Message): Promise<void> {
  const article = request.text()
  const price = prices.get(article)
  await request.reply(price === undefined ? { error: `there is no ${article}` } : { price })
}
