// One of several processes that do orders: the broker gives each order to one of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '@godwit/client'

const [url = 'mqtt://localhost', name = `worker-${process.pid}`] = process.argv.slice(2)

// One order at a time: those behind it go to workers that have nothing to do.
const client = await connect(url, { clientId: name, receiveMaximum: 1 })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void client.close())

const orders = client.subscribe('$share/press-room/orders/+', { qos: 1 })
await orders.granted
console.log(`${name} is ready`)

// Each is acknowledged when the loop asks for the next one; a worker that dies before has not done it.
for await (const order of orders) {
  await sleep(50)
  console.log(`${name} did ${order.topic}`)
}
