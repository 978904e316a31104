import { afterAll, beforeAll } from 'vitest'
import { describeClients } from './client-suite.ts'
import { GodwitProcess } from './godwit-process.ts'
import { mqttJs } from './mqttjs-client.ts'

let godwit: GodwitProcess
beforeAll(async () => {
  godwit = await GodwitProcess.start()
})
afterAll(async () => {
  await godwit.stop()
})

describeClients(mqttJs, 4, 'tcp', () => godwit)
describeClients(mqttJs, 4, 'websocket', () => godwit)
describeClients(mqttJs, 5, 'tcp', () => godwit)
describeClients(mqttJs, 5, 'websocket', () => godwit)
