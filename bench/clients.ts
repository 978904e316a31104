// The client library beside MQTT.js, against one broker, in alternation: npm run bench:clients -- [--rounds N] [--messages N] [--store]
// `--store` puts the figures in bench/results, and in the README.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BrokerProcess } from '../crash/broker-process.ts'
import { LIBRARIES, type LibraryName } from './clients/library.ts'
import { type ClientCase, type ClientFigures, measureClient } from './clients/measure.ts'
import { table } from './compare/tables.ts'
import { replaceGenerated } from './generated.ts'
import { type NumbersTable, writeNumbers } from './numbers-file.ts'
import { formatted, median } from './statistics.ts'

const KINDS: Readonly<Record<keyof ClientFigures, string>> = {
  cpuMicroseconds: 'CPU per message, µs',
  perSecond: 'messages per second',
  megabytes: 'resident at most, MB'
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '200000' },
    store: { type: 'boolean', default: false }
  }
})
const rounds = Number(values.rounds)
const messages = Number(values.messages)
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(messages) || messages < 1) {
  throw new RangeError('--rounds and --messages take a whole number from 1')
}

const broker = new BrokerProcess({ data: undefined })
const { mqtt } = await broker.listening
const measured: Record<string, Record<string, number>> = {}
try {
  for (const [title, each] of Object.entries(cases())) measured[title] = await compare(title, each, `mqtt://127.0.0.1:${mqtt}`)
} finally {
  await broker.stop()
}
console.log(tableOf(measured))
if (values.store) {
  writeNumbers(new URL('results/clients.json', import.meta.url), measured)
  const readme = new URL('README.md', import.meta.url)
  writeFileSync(readme, replaceGenerated(readFileSync(readme, 'utf8'), 'clients', tableOf(measured)))
}

function cases(): Readonly<Record<string, ClientCase>> {
  const cases: Record<string, ClientCase> = {}
  for (const role of ['publish', 'receive'] as const) {
    for (const qos of [0, 1, 2] as const) cases[`${role}, QoS ${qos}, 20 bytes`] = { role, qos, messages, payloadBytes: 20 }
    cases[`${role}, QoS 1, 10 kB`] = { role, qos: 1, messages: Math.ceil(messages / 10), payloadBytes: 10_000 }
  }
  return cases
}

async function compare(title: string, each: ClientCase, url: string): Promise<Record<string, number>> {
  const figures: Record<LibraryName, ClientFigures[]> = { godwit: [], 'mqtt.js': [] }
  for (let round = 0; round < rounds; round++) {
    for (const library of LIBRARIES) figures[library].push(await measureClient(library, each, url))
  }
  process.stderr.write(`${title} done\n`)
  const kinds = ['cpuMicroseconds', 'perSecond', 'megabytes'] as const
  return Object.fromEntries(
    kinds.flatMap((kind) => LIBRARIES.map((library) => [`${library} ${kind}`, median(figures[library].map((run) => run[kind]))]))
  )
}

function tableOf(rows: NumbersTable): string {
  const kinds = Object.entries(KINDS)
  const head = ['', ...kinds.flatMap(([, words]) => [`${words}: Godwit`, 'MQTT.js', 'Godwit/MQTT.js'])]
  const body = Object.entries(rows).map(([title, row]) => [
    title,
    ...kinds.flatMap(([kind]) => {
      const ours = row[`godwit ${kind}`] ?? Number.NaN
      const theirs = row[`mqtt.js ${kind}`] ?? Number.NaN
      return [formatted(ours), formatted(theirs), (ours / theirs).toFixed(2)]
    })
  ])
  return table(head, body)
}
