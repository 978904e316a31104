import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { GodwitProcess } from './godwit-process.ts'
import { withinLimit } from './mailbox.ts'

const HOST = '127.0.0.1'

export type Scheme = 'mqtt' | 'mqtts' | 'ws' | 'unix'

/** Where a broker listens, and what it listens with. */
export interface Place {
  readonly directory: string
  readonly ports: Readonly<Record<Exclude<Scheme, 'unix'>, number>>
  readonly socketPath: string
  readonly certificateFile: string
  readonly keyFile: string
  /** PEM, for clients to trust. */
  readonly certificate: string
}

/** A broker that our client is tried on: it can be stopped, and started again in its place. */
export interface Broker {
  start(place: Place): Promise<void>
  stop(): Promise<void>
}

export function urlOf({ ports, socketPath }: Place, scheme: Scheme): string {
  if (scheme === 'unix') return `unix:${socketPath}`
  return `${scheme}://127.0.0.1:${ports[scheme]}${scheme === 'ws' ? '/mqtt' : ''}`
}

/** A folder with a certificate for `localhost`, and free ports; undefined where there is no openssl to make the certificate. */
export async function makePlace(): Promise<Place | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-brokers-'))
  const file = (name: string): string => join(directory, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file('key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  try {
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...subject, ...key, '-out', file('cert.pem')], { stdio: 'pipe' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const [mqtt = 0, mqtts = 0, ws = 0] = await freePorts(3)
  return {
    directory,
    ports: { mqtt, mqtts, ws },
    socketPath: file('socket'),
    certificateFile: file('cert.pem'),
    keyFile: file('key.pem'),
    certificate: readFileSync(file('cert.pem'), 'utf8')
  }
}

export function removePlace({ directory }: Place): void {
  rmSync(directory, { recursive: true, force: true })
}

/** All at once: one by one, they might be one and the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, HOST))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return address === null || typeof address === 'string' ? 0 : address.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Our own program, with its data on disk. */
export class Godwit implements Broker {
  #process: GodwitProcess | undefined = undefined

  async start({ directory, ports, socketPath, certificateFile, keyFile }: Place): Promise<void> {
    const listeners = ['--port', `${ports.mqtt}`, '--http-port', `${ports.ws}`, '--host', HOST, '--http-host', HOST]
    const tls = ['--tls-port', `${ports.mqtts}`, '--tls-cert', certificateFile, '--tls-key', keyFile]
    const flags = [...listeners, ...tls, '--unix-socket', socketPath, '--data', join(directory, 'data'), '--allow-anonymous']
    this.#process = await GodwitProcess.start([], flags)
  }

  async stop(): Promise<void> {
    await this.#process?.stop()
  }
}

/** Debian's package, which writes what it knows to a file when it is stopped. */
export class Mosquitto implements Broker {
  #process: ChildProcess | undefined = undefined

  static isHere(): boolean {
    return spawnSync(MOSQUITTO, ['-h'], { stdio: 'ignore', env: ENVIRONMENT }).error === undefined
  }

  async start({ directory, ports, socketPath, certificateFile, keyFile }: Place): Promise<void> {
    const configuration = join(directory, 'mosquitto.conf')
    const lines = [
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${directory}/`,
      // It would give up what it has to be allowed to do in this folder.
      'user root',
      `listener ${ports.mqtt} ${HOST}`,
      `listener ${ports.mqtts} ${HOST}`,
      `certfile ${certificateFile}`,
      `keyfile ${keyFile}`,
      `listener ${ports.ws} ${HOST}`,
      'protocol websockets',
      `listener 0 ${socketPath}`
    ]
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    const child = spawn(MOSQUITTO, ['-c', configuration, '-v'], { stdio: ['ignore', 'ignore', 'pipe'], env: ENVIRONMENT })
    this.#process = child
    let output = ''
    const running: PromiseWithResolvers<void> = Promise.withResolvers()
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes(' running')) running.resolve()
    })
    child.once('exit', (status) => running.reject(new Error(`mosquitto ended with ${status}: ${output}`)))
    await withinLimit(running.promise, 'mosquitto to run')
  }

  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    await withinLimit(exited, 'mosquitto to end')
  }
}

const MOSQUITTO = 'mosquitto'
/** Debian keeps it where not everybody looks. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }

/** In this process; what it knows is gone when it is stopped. */
export class AedesBroker implements Broker {
  #broker: Aedes | undefined = undefined
  #servers: Server[] = []
  #webSockets: WebSocketServer | undefined = undefined
  readonly #sockets = new Set<Socket>()

  async start({ ports, socketPath, keyFile, certificate }: Place): Promise<void> {
    const broker = await Aedes.createBroker()
    this.#broker = broker
    const handle = (socket: Socket): void => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      broker.handle(socket)
    }
    const tls = createTlsServer({ cert: certificate, key: readFileSync(keyFile) }, handle)
    this.#servers = [
      createServer(handle).listen(ports.mqtt, HOST),
      tls.listen(ports.mqtts, HOST),
      createServer(handle).listen(socketPath)
    ]
    this.#webSockets = new WebSocketServer({ port: ports.ws, host: HOST, handleProtocols: () => 'mqtt' })
    this.#webSockets.on('connection', (socket) => broker.handle(createWebSocketStream(socket)))
    await Promise.all([...this.#servers, this.#webSockets].map((server) => once(server, 'listening')))
  }

  async stop(): Promise<void> {
    for (const socket of this.#webSockets?.clients ?? []) socket.terminate()
    this.#webSockets?.close()
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      if (this.#broker === undefined) resolve()
      else this.#broker.close(() => resolve())
    })
  }
}
