// What I/O threads bring, and what handing over costs: TLS connections, and messages over TLS and TCP, with 0, 1 and 2 of them.
//   node --conditions=godwit-source bench/io-threads.ts [--threads 0,1,2] [--rounds 3] [--seconds 3]
// Needs Linux (it reads the CPU time of each thread) and the openssl command. The clients are in this process: where there are few
// cores they take a good part of them, so the CPU time of each thread says more than the rate.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { BrokerProcess } from '../crash/broker-process.ts'
import { type CpuTime, cpuTimeOf } from './io-threads/cpu-time.ts'
import { connects, type Load, pointToPoint, type Target } from './io-threads/load.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '0,1,2' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' }
  }
})
const seconds = Number(values.seconds)

interface Scenario {
  readonly name: string
  readonly isSecure: boolean
  readonly begin: (target: Target) => Load | Promise<Load>
}

const PAIRS = 50
const scenarios: readonly Scenario[] = [
  { name: 'TLS connects', isSecure: true, begin: (target) => connects(target, 32) },
  { name: 'TLS p2p, 20 on the way', isSecure: true, begin: (target) => pointToPoint(target, PAIRS, 20) },
  { name: 'TLS p2p, 1 on the way', isSecure: true, begin: (target) => pointToPoint(target, PAIRS, 1) },
  { name: 'TCP p2p, 20 on the way', isSecure: false, begin: (target) => pointToPoint(target, PAIRS, 20) },
  { name: 'TCP p2p, 1 on the way', isSecure: false, begin: (target) => pointToPoint(target, PAIRS, 1) }
]

/** Times in microseconds of CPU for each connection or message. */
interface Figures {
  readonly 'per second': number
  readonly engine: number
  readonly 'I/O threads': number
  readonly broker: number
  readonly clients: number
}

const directory = mkdtempSync(join(tmpdir(), 'godwit-bench-'))
const [certificate, key] = [join(directory, 'certificate.pem'), join(directory, 'key.pem')]
try {
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost'
  ]
  const named = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...request, ...named], { stdio: 'pipe' })
  for (const scenario of scenarios) {
    const measured = new Map<number, Figures[]>()
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const threads of values.threads.split(',').map(Number)) {
        measured.set(threads, [...(measured.get(threads) ?? []), await measure(scenario, threads)])
      }
    }
    console.log(scenario.name)
    console.table(Object.fromEntries([...measured].map(([threads, figures]) => [`${threads} I/O threads`, mediansOf(figures)])))
  }
} finally {
  rmSync(directory, { recursive: true })
}

async function measure({ isSecure, begin }: Scenario, ioThreads: number): Promise<Figures> {
  const tlsPort = await unusedPort()
  const tls = ['--tls-cert', certificate, '--tls-key', key, '--tls-port', String(tlsPort)]
  const broker = new BrokerProcess({ data: undefined, flags: [...tls, '--io-threads', String(ioThreads)] })
  try {
    const { mqtt } = await broker.listening
    const target = isSecure ? { port: tlsPort, ca: readFileSync(certificate, 'utf8') } : { port: mqtt, ca: undefined }
    const load = await begin(target)
    await delay(1_000)
    const before = { done: load.done, at: performance.now(), cpu: cpuTimeOf(broker.pid), clients: process.cpuUsage() }
    await delay(seconds * 1000)
    const cpu = cpuTimeOf(broker.pid)
    const { user, system } = process.cpuUsage(before.clients)
    const done = load.done - before.done
    const perSecond = (done * 1000) / (performance.now() - before.at)
    load.stop()
    const each = (of: (time: CpuTime) => number): number => (of(cpu) - of(before.cpu)) / done
    return {
      'per second': perSecond,
      engine: each(({ engine }) => engine),
      'I/O threads': each(({ io }) => io),
      broker: each(({ all }) => all),
      clients: (user + system) / done
    }
  } finally {
    await broker.kill('process')
  }
}

function mediansOf(figures: readonly Figures[]): Figures {
  const of = (name: keyof Figures, digits: number): number => Number(median(figures.map((each) => each[name])).toFixed(digits))
  return {
    'per second': of('per second', 0),
    engine: of('engine', 2),
    'I/O threads': of('I/O threads', 2),
    broker: of('broker', 2),
    clients: of('clients', 2)
  }
}

async function unusedPort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
  })
  return promise
}
