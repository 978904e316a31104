import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withinLimit } from '../../interop/mailbox.ts'
import { BrokerProcess } from '../broker-process.ts'

/** A server that ends and comes back, on the same port and with what it had kept. */
export interface MortalServer {
  /** Resolves with its URL once it listens. */
  start(): Promise<string>
  /** Ends it, in the manner that it is known to survive. */
  end(): Promise<void>
  /** Ends it for good, and removes its data. */
  stop(): Promise<void>
}

/** Godwit, which is killed. */
export class MortalGodwit implements MortalServer {
  readonly #data = mkdtempSync(join(tmpdir(), 'godwit-client-crash-broker-'))
  #broker: BrokerProcess | undefined = undefined
  #port = 0

  async start(): Promise<string> {
    const flags = this.#port === 0 ? [] : ['--port', String(this.#port)]
    this.#broker = new BrokerProcess({ data: this.#data, flags })
    const { mqtt } = await this.#broker.listening
    this.#port = mqtt
    return `mqtt://127.0.0.1:${mqtt}`
  }

  async end(): Promise<void> {
    await this.#broker?.kill('process')
  }

  async stop(): Promise<void> {
    await this.#broker?.stop()
    rmSync(this.#data, { recursive: true, force: true })
  }
}

/** Mosquitto, which writes what it keeps when it is asked to end. */
export class MortalMosquitto implements MortalServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'godwit-client-crash-mosquitto-'))
  #child: ChildProcess | undefined = undefined
  #port = 0

  async start(): Promise<string> {
    if (this.#port === 0) this.#port = await freePort()
    const configuration = join(this.#folder, 'mosquitto.conf')
    const lines = [
      `listener ${this.#port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${this.#folder}/`,
      'max_queued_messages 0',
      ...(process.getuid?.() === 0 ? ['user root'] : [])
    ]
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    const child = spawn('mosquitto', ['-c', configuration], { stdio: 'ignore' })
    process.once('exit', () => child.kill('SIGKILL'))
    this.#child = child
    await withinLimit(this.#listening(), 'Mosquitto to listen')
    return `mqtt://127.0.0.1:${this.#port}`
  }

  async end(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await withinLimit(ended, 'Mosquitto to end')
  }

  async stop(): Promise<void> {
    await this.end()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #listening(): Promise<void> {
    while (!(await isOpen(this.#port))) await sleep(10)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

function isOpen(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connectTcp({ host: '127.0.0.1', port })
  socket.once('connect', () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
