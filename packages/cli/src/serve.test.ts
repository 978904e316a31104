import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type IClientOptions, type IDisconnectPacket, connectAsync, type MqttClient } from 'mqtt'
import { describe, expect, test } from 'vitest'
import { type Godwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const anyPorts = ['--port', '0', '--http-port', '0'] as const

async function client(godwit: Godwit, options: IClientOptions): Promise<MqttClient> {
  const connected = await connectAsync(godwit.url('mqtt'), { reconnectPeriod: 0, ...options })
  connected.on('error', () => undefined)
  bench.cleanup(() => connected.end(true))
  return connected
}

describe('start-up', () => {
  test('says what it listens on, where its data is, and what is switched off for safety', async () => {
    const godwit = await bench.serve(...anyPorts, '--memory')
    expect(godwit.stdout).toMatch(
      new RegExp(
        [
          '^Godwit \\d+\\.\\d+\\.\\d+: MQTT 3\\.1, 3\\.1\\.1 and 5\\.0',
          '  listens on +mqtt://127\\.0\\.0\\.1:\\d+',
          ' +ws://127\\.0\\.0\\.1:\\d+/mqtt',
          ' +http://127\\.0\\.0\\.1:\\d+/health',
          '  access +everybody',
          '  data +in memory: nothing survives a restart, and what is acknowledged is lost with the process',
          '  off for safety  connections from other machines, as access is not configured \\(access\\.users, --allow-anonymous\\)',
          ' +WebSocket for web pages that are not of this machine \\(http\\.allowedOrigins\\)',
          'ready in \\d+ ms',
          '$'
        ].join('\n')
      )
    )
    expect(godwit.stderr).toBe('')
    expect((await fetch(godwit.url('http'))).status).toBe(200)
    expect(await godwit.stop()).toEqual([0, null])
  })

  test('with --log-format json everything printed is JSON, an object on each line', async () => {
    const godwit = await bench.serve(...anyPorts, '--data', 'json', '--log-format', 'json', '--allow-anonymous')
    const connected = await client(godwit, { clientId: 'tern' })
    await godwit.printed('stderr', /client connected/)
    await connected.endAsync()
    await godwit.stop()
    const notice: unknown = JSON.parse(godwit.stdout)
    expect(notice).toMatchObject({
      msg: 'ready',
      listensOn: [godwit.url('mqtt'), godwit.url('ws'), godwit.url('http')],
      data: `${join(bench.directory, 'json')}, which is new`,
      access: 'everybody',
      off: []
    })
    const entries = godwit.stderr
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(entries).toContainEqual(expect.objectContaining({ level: 'info', msg: 'client connected', clientId: 'tern' }))
    expect(entries.at(-1)).toMatchObject({ level: 'info', signal: 'SIGTERM' })
  })

  test('goes on when nobody reads what it prints', async () => {
    const godwit = await bench.serve(...anyPorts, '--memory')
    godwit.child.stdout?.destroy()
    godwit.child.stderr?.destroy()
    for (let count = 0; count < 3; count++) await (await client(godwit, {})).endAsync()
    expect((await fetch(godwit.url('http'))).status).toBe(200)
    expect(await godwit.stop()).toEqual([0, null])
  })
})

describe('the end', () => {
  test.each([
    ['SIGTERM', 0],
    ['SIGINT', 0],
    ['SIGTERM', 2]
  ] as const)('%s under load, with %i I/O threads: clients are told, and the status is 0', async (signal, ioThreads) => {
    const godwit = await bench.serve(...anyPorts, '--memory', '--io-threads', String(ioThreads))
    const [old, recent, subscriber] = await Promise.all([
      client(godwit, { protocolVersion: 4 }),
      client(godwit, { protocolVersion: 5 }),
      client(godwit, { protocolVersion: 5, clientId: 'kept', clean: false, properties: { sessionExpiryInterval: 60 } })
    ])
    await subscriber.subscribeAsync('load/#', { qos: 2 })
    for (const publisher of [old, recent]) {
      const publish = (): void => {
        // It fails once the broker has gone, which ends the load.
        publisher.publish('load/x', Buffer.alloc(1000), { qos: 1 }, (error) => (error ? undefined : publish()))
      }
      for (let count = 0; count < 20; count++) publish()
    }
    await new Promise((resolve) => subscriber.on('message', (_topicName, payload) => payload.length === 1000 && resolve(payload)))

    const disconnects: IDisconnectPacket[] = []
    recent.on('disconnect', (packet) => disconnects.push(packet))
    const gone = Promise.all([old, recent].map((each) => new Promise((resolve) => each.once('close', () => resolve(each)))))
    const exited = await godwit.stop(signal)
    await gone
    // [5.0 3.14.2.1] Server shutting down
    expect(disconnects.map(({ reasonCode }) => reasonCode)).toEqual([0x8b])
    expect(exited).toEqual([0, null])
    expect(godwit.stderr).not.toMatch(/ERROR|^ {4}at /m)
  })

  test('a client that does not go holds it for a bounded time; a second signal ends it at once', async () => {
    const godwit = await bench.serve(...anyPorts, '--memory')
    const socket = connect({ port: godwit.port('mqtt'), host: '127.0.0.1', allowHalfOpen: true })
    bench.cleanup(() => socket.destroy())
    socket.on('error', () => undefined)
    // CONNECT, 3.1.1, without Keep Alive; then it answers nothing.
    socket.write(Buffer.from('100c00044d515454040200000000', 'hex'))
    await once(socket, 'data')
    const askedAtMs = performance.now()
    const again = setInterval(() => godwit.child.kill('SIGTERM'), 50)
    const exited = await godwit.stop('SIGTERM')
    clearInterval(again)
    // Signals within half a second are npm's and the terminal's copies of the same request.
    expect(performance.now() - askedAtMs).toBeGreaterThan(450)
    expect(exited).toEqual([1, null])
  })
})

test('at level debug, also by SIGHUP, each message that is not delivered is logged with its fate', async () => {
  const file = bench.file('debug.yaml', 'memory: true')
  const godwit = await bench.serve('--config', file, ...anyPorts)
  const publisher = await client(godwit, { clientId: 'tern' })
  await publisher.publishAsync('unheard', 'x', { qos: 1 })
  bench.file('debug.yaml', 'memory: true\nlog: { level: debug }')
  godwit.child.kill('SIGHUP')
  await godwit.printed('stderr', /configuration read again/)
  await publisher.publishAsync('nobody/listens', 'hello', { qos: 1 })
  const fields = 'fate=no-subscriber topicName=nobody/listens clientId=tern payloadBytes=5 count=1'
  expect(await godwit.printed('stderr', /DEBUG message not delivered .*\n/)).toContain(fields)
  expect(godwit.stderr).not.toContain('unheard')
})

describe('an error that nobody expected', () => {
  test.each([
    ['thrown', 'throw new Error("oh")'],
    ['rejected', 'Promise.reject(new Error("oh"))']
  ])('%s: is logged with its stack, and the process ends with status 1', async (_, fails) => {
    const module = `process.once("SIGUSR2", () => { ${fails} })`
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` }
    const godwit = await bench.serveIn(environment, ...anyPorts, '--memory')
    expect(await godwit.stop('SIGUSR2')).toEqual([1, null])
    expect(godwit.stderr).toMatch(/ ERROR unexpected error: the broker ends\n {4}Error: oh\n {8}at /)
  })
})

describe('SIGHUP', () => {
  test('takes another log level, and names what needs a restart', async () => {
    const file = bench.file('hup.yaml', 'memory: true\nlog: { level: warn }')
    const godwit = await bench.serve('--config', file, ...anyPorts)
    await (await client(godwit, { clientId: 'unheard' })).endAsync()
    bench.file('hup.yaml', 'memory: true\nlog: { level: info }\nlimits: { clientsMax: 3 }')
    godwit.child.kill('SIGHUP')
    expect(await godwit.printed('stderr', / WARN .*\n/)).toContain(
      'changed keys that take effect at the next start keys=["limits"]'
    )
    await (await client(godwit, { clientId: 'heard' })).endAsync()
    await godwit.printed('stderr', /clientId=heard/)
    expect(godwit.stderr).not.toContain('unheard')
  })

  test('while it starts is taken once it has', async () => {
    const module =
      'process.on("newListener", (name) => name === "SIGTERM" && queueMicrotask(() => process.kill(process.pid, "SIGHUP")))'
    const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` }
    const godwit = await bench.serveIn(environment, ...anyPorts, '--memory')
    await godwit.printed('stderr', /configuration read again/)
  })

  test('with a mistake in the file says which, and changes nothing', async () => {
    const file = bench.file('hup.yaml', 'memory: true')
    const godwit = await bench.serve('--config', file, ...anyPorts)
    bench.file('hup.yaml', 'memory: true\nlimits: { clientMax: 3 }')
    godwit.child.kill('SIGHUP')
    expect(await godwit.printed('stderr', / ERROR .*\n/)).toContain(
      `configuration not changed: ${file}:2:11: limits.clientMax is not a key; did you mean clientsMax?`
    )
    await (await client(godwit, {})).endAsync()
  })
})
