// Asks for prices.
import { ClientError, connect } from '@godwit/client'

const [url = 'mqtt://localhost', ...articles] = process.argv.slice(2)

await using client = await connect(url)
for (const article of articles) {
  try {
    const reply = await client.request('svc/price', article, { timeoutMs: 2_000 })
    console.log(`${article}: ${reply.text()}`)
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    console.error(`${article}: ${error.message}`)
    process.exitCode = 1
  }
}
