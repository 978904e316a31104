import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { expect, test } from 'vitest'
import { runGodwit, workbench } from './godwit.test.support.ts'
const bench = workbench()
const anyPorts = ['--port', '0', '--http-port', '0'] as const
test('x', async () => {
  const cwd = bench.directory
  const server = await bench.serve('--data', join(cwd, 'data'), ...anyPorts)
  const away = await connectAsync(server.url('mqtt'), { clientId: 'tern', clean: false, reconnectPeriod: 0 })
  await away.subscribeAsync('bird/+', { qos: 1 })
  await away.endAsync()
  const publisher = await connectAsync(server.url('mqtt'), { reconnectPeriod: 0 })
  await publisher.publishAsync('bird/1', 'ü', { qos: 1 })
  await publisher.publishAsync('bird/2', Buffer.of(0xff), { qos: 1, retain: true })
  await publisher.endAsync()
  await server.stop()
  console.log((await runGodwit(['store', 'export', 'data', '--output', 'lines'], { cwd })))
  console.log((await runGodwit(['store', 'import', 'lines', 'imported'], { cwd })))
  console.log((await runGodwit(['store', 'export', 'data'], { cwd })).stdout)
  console.log((await runGodwit(['store', 'export', 'imported'], { cwd })).stdout)
  for (const name of ['data', 'imported']) {
    const other = await bench.serve('--data', join(cwd, name), ...anyPorts)
    const client = await connectAsync(other.url('mqtt'), { clientId: 'tern', clean: false, reconnectPeriod: 0, manualConnect: true }).catch(String)
    console.log(client)
    console.log(other.stdout, other.stderr)
  }
}, 20000)
