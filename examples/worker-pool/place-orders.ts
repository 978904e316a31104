// Places orders for the workers.
import { connect } from '@godwit/client'

const [url = 'mqtt://localhost', count = '20'] = process.argv.slice(2)

await using client = await connect(url)
for (let number = 1; number <= Number(count); number++) client.publish(`orders/${number}`, { copies: 100 }, { qos: 1 })
await client.drained()
console.log(`${count} orders are placed`)
