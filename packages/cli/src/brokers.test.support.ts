import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { encodePacket, type Packet, PacketDecoder, PacketType, ProtocolVersion } from '@godwit/protocol'
import { Godwit, spawnGodwit } from './godwit.test.support.ts'

/** A broker of the tests: ours, or Mosquitto where this machine has it. */
export interface RunningBroker {
  readonly port: number
  stop(): Promise<unknown>
}

export interface BrokerKind {
  readonly name: string
  readonly start: () => Promise<RunningBroker>
}

export const godwitKind: BrokerKind = {
  name: 'Godwit',
  start: async () => {
    const godwit = new Godwit(spawnGodwit(['serve', '--memory', '--port', '0', '--http-port', '0'], tmpdir()))
    await godwit.printed('stdout', /ready.*\n/)
    return { port: godwit.port('mqtt'), stop: () => godwit.stop('SIGKILL') }
  }
}

const mosquittoKind: BrokerKind = {
  name: 'Mosquitto',
  start: async () => {
    const port = await freePort()
    // Without a configuration it listens on loopback alone, and keeps nothing.
    const child = spawn('mosquitto', ['-p', `${port}`], { stdio: 'ignore' })
    const exited = once(child, 'exit')
    while (!(await isListening(port))) if (child.exitCode !== null) throw new Error('mosquitto does not start')
    return {
      port,
      async stop() {
        child.kill('SIGKILL')
        await exited
      }
    }
  }
}

function has(program: string): boolean {
  return spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined
}

/** Mosquitto's command line, to compare with. */
export const hasMosquittoClients: boolean = has('mosquitto_pub') && has('mosquitto_sub')

export const brokerKinds: readonly BrokerKind[] = has('mosquitto') ? [godwitKind, mosquittoKind] : [godwitKind]

/** A server that accepts every connection (5.0), and for the rest answers as a test wants; what is undefined is left without an answer. */
export async function scriptedServer(answer: (packet: Packet) => Packet | undefined): Promise<RunningBroker> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const decoder = new PacketDecoder({ receiver: 'server', maximumPacketSize: 1_000_000 })
    socket
      .on('error', () => undefined)
      .on('data', (chunk) => {
        decoder.push(chunk)
        for (let packet = decoder.next(); packet !== undefined; packet = decoder.next()) {
          const reply = packet.type === PacketType.Connect ? CONNACK : answer(packet)
          if (reply !== undefined) socket.write(encodePacket(reply, ProtocolVersion.Mqtt5))
        }
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

const CONNACK: Packet = { type: PacketType.Connack, sessionPresent: false, reasonCode: 0, properties: {} }

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const { promise, resolve }: PromiseWithResolvers<boolean> = Promise.withResolvers()
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
