import { createBroker } from '@godwit/broker'

const broker = await createBroker()
const tcp = await broker.listen({ kind: 'tcp', port: 0 })
const webSocket = await broker.listen({ kind: 'websocket', port: 0 })
process.once('SIGTERM', () => void broker.close())
console.log(`listening on ${tcp.url}\nlistening on ${webSocket.url}`)
