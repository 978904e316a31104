import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setDefaultCACertificates } from 'node:tls'
import { type Broker, createBroker } from '@godwit/broker'
import { vi } from 'vitest'
import { type Client, connect } from '../index.ts'
import { scramServer } from '../scram-server.test.support.ts'
import { following, MESSAGES_EACH } from './snippet-client.ts'
import type { Snippet, SnippetFolder } from './snippets.ts'

const SNIPPET_CLIENT = join(import.meta.dirname, 'snippet-client.ts')

/** Whether the `openssl` command is there to make certificates. */
export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Whether a snippet needs a server with a certificate. */
export function needsOpenssl({ text }: Snippet): boolean {
  return /\b(?:mqtts|tls|wss):/.test(text)
}

/** Where a snippet is run: a broker with every kind of listener, someone who publishes to what is subscribed to, and someone who replies. */
export class SnippetStage {
  readonly #folder: SnippetFolder
  readonly #broker: Broker
  readonly #others: Client
  /** By scheme. */
  readonly #authorities: ReadonlyMap<string, string>

  private constructor(folder: SnippetFolder, broker: Broker, others: Client, authorities: ReadonlyMap<string, string>) {
    this.#folder = folder
    this.#broker = broker
    this.#others = others
    this.#authorities = authorities
  }

  static async open(folder: SnippetFolder): Promise<SnippetStage> {
    const broker = await createBroker(scramServer({ 'pump-7': 'correct horse' }))
    const tcp = await broker.listen({ kind: 'tcp', port: 0 })
    const webSocket = await broker.listen({ kind: 'websocket', port: 0 })
    await broker.listen({ kind: 'unix', path: join(folder.path, 'godwit.sock') })
    const [plain, web] = [`127.0.0.1:${tcp.port}`, `127.0.0.1:${webSocket.port}`]
    const secure = hasOpenssl() ? await listenSecurely(broker, folder.path) : []
    const authorities = new Map([['mqtt', plain], ['tcp', plain], ['ws', web], ...secure])
    const others = await connect(tcp.url, { clientId: 'others' })
    await others.subscribe('svc/#', {}, (request) => request.reply({ price: 12.5 })).granted
    broker.events.on('subscribed', ({ clientId, topicFilter }) => {
      if (clientId !== 'others' && !topicFilter.startsWith('godwit/reply/')) publishFor(others, topicFilter)
    })
    return new SnippetStage(folder, broker, others, authorities)
  }

  /** Runs a snippet to its end, which for a loop comes when it has had some messages. Returns what it has printed. */
  async play({ file, text }: Snippet): Promise<string[]> {
    const printed: string[] = []
    vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => void printed.push(values.map(String).join(' ')))
    const client = following.add(await connect(this.#here('mqtt://broker.example')))
    vi.stubGlobal('client', client)
    vi.stubGlobal('act', () => new Promise<void>((resolve) => void setImmediate(resolve)))
    const path = this.#folder.writeModule(`run-${file}`, this.#here(text))
    try {
      const running: Promise<unknown> = import(pathToFileURL(path).href)
      await following.isServed(running)
      await following.close()
      await running
    } finally {
      await following.close()
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
    }
    return printed
  }

  async close(): Promise<void> {
    await this.#others.close()
    await this.#broker.close()
  }

  /** A snippet with the addresses, files and modules of this place. */
  #here(text: string): string {
    return text
      .replaceAll(/\b(\w+):\/\/([^\s'@/]+@)?(?:[\w-]+\.example|localhost)(?::\d+)?/g, (_, scheme: string, user: string = '') => {
        return `${scheme}://${user}${this.#authorities.get(scheme)}`
      })
      .replaceAll('unix:/run/', `unix:${this.#folder.path}/`)
      .replaceAll("'./", `'${this.#folder.path}/`)
      .replaceAll("from '@godwit/client'", `from '${SNIPPET_CLIENT}'`)
  }
}

/** TLS and secure WebSocket, with certificates of an authority that this process trusts from here on. */
async function listenSecurely(broker: Broker, directory: string): Promise<[scheme: string, authority: string][]> {
  const read = (file: string): Buffer => readFileSync(join(directory, file))
  makeCertificate(directory, 'ca')
  makeCertificate(directory, 'server', 'ca')
  makeCertificate(directory, 'pump-7', 'ca')
  const ca = read('ca.pem')
  setDefaultCACertificates([ca.toString()])
  const tls = { port: 0, certificate: read('server.pem'), key: read('server.key'), ca, clientCertificates: 'requested' } as const
  const { port } = await broker.listen({ kind: 'tls', ...tls })
  const { port: webPort } = await broker.listen({ kind: 'secure-websocket', ...tls })
  return [
    ['mqtts', `localhost:${port}`],
    ['tls', `localhost:${port}`],
    ['wss', `localhost:${webPort}`]
  ]
}

/** NAME.pem and NAME.key: of an authority if none is named to issue it, else for localhost. */
function makeCertificate(directory: string, name: string, issuer?: string): void {
  const path = (file: string): string => join(directory, file)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path(`${name}.key`)]
  const issued =
    issuer === undefined
      ? ['-addext', 'basicConstraints=critical,CA:TRUE']
      : ['-CA', path(`${issuer}.pem`), '-CAkey', path(`${issuer}.key`), '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const request = ['req', '-x509', '-days', '2', '-subj', `/CN=${name}`, ...key, ...issued, '-out', path(`${name}.pem`)]
  execFileSync('openssl', request, { stdio: 'pipe' })
}

/** What others would publish. */
function publishFor(others: Client, topicFilter: string): void {
  const topic = topicFilter
    .replace(/^\$share\/[^/]+\//, '')
    .replaceAll('+', '7')
    .replace('#', 'set')
  for (let count = 0; count < MESSAGES_EACH; count++) {
    others.publish(topic, { celsius: 21.5 + count }, { qos: 1, responseTopic: 'others/replies' })
  }
}
