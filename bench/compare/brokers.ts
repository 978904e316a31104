import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../checks/workspace.ts'

export const BROKER_NAMES = ['godwit', 'mosquitto', 'mosquitto-safe', 'aedes'] as const

export type BrokerName = (typeof BROKER_NAMES)[number]

export interface BrokerKind {
  readonly title: string
  /** Its settings, in words; with what it does about the disk before it acknowledges. */
  readonly settings: string
  readonly syncPolicy: string
  /** Writes what it needs to an empty folder, and returns the command. */
  command(port: number, folder: string): readonly string[]
}

const node = [process.execPath, '--conditions=godwit-source']

const godwit: BrokerKind = {
  title: 'Godwit',
  settings: '`godwit serve` at its defaults, with its data on disk, as `npm start` runs it (`--max-semi-space-size=16`)',
  syncPolicy: 'each commit is synced before anything of it is acknowledged to a client',
  command: (port, folder) => [
    ...[...node, '--max-semi-space-size=16', join(root, 'packages/cli/src/main.ts'), 'serve', '--log-level', 'error'],
    ...['--port', String(port), '--http-port', '0', '--data', join(folder, 'data')]
  ]
}

/** Without limits that would drop what it is sent, without the delay of small writes; logs errors only. */
const MOSQUITTO = `
user root
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
sys_interval 0
log_type error
`

function mosquitto(port: number, folder: string, persistence: string): readonly string[] {
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, `listener ${port} 127.0.0.1\n${MOSQUITTO}${persistence}\n`)
  return ['mosquitto', '-c', file]
}

export const BROKERS: Readonly<Record<BrokerName, BrokerKind>> = {
  godwit,
  mosquitto: {
    title: 'Mosquitto',
    settings: 'limits of queues and of messages in flight off, `set_tcp_nodelay`, logs errors only, `persistence false`',
    syncPolicy: 'acknowledges from memory; nothing is written',
    command: (port, folder) => mosquitto(port, folder, 'persistence false')
  },
  'mosquitto-safe': {
    title: 'Mosquitto, safe mode',
    settings: 'the same, with `persistence true`, `autosave_on_changes true`, `autosave_interval 1`',
    syncPolicy: 'acknowledges from memory, then writes all of its memory to a file after each change',
    command: (port, folder) =>
      mosquitto(port, folder, `persistence true\npersistence_location ${folder}/\nautosave_on_changes true\nautosave_interval 1`)
  },
  aedes: {
    title: 'Aedes',
    settings: 'its memory persistence behind a server of `node:net`, TCP without delay',
    syncPolicy: 'acknowledges from memory; nothing is written',
    command: (port) => [...node, join(import.meta.dirname, 'aedes-server.ts'), String(port)]
  }
}

export const MAIN_BROKERS: readonly BrokerName[] = ['godwit', 'mosquitto', 'aedes']

/** @throws RangeError for a name that means no broker */
export function brokersNamed(names: string): BrokerName[] {
  return names.split(',').map((name) => {
    const broker = BROKER_NAMES.find((each) => each === name)
    if (broker !== undefined) return broker
    throw new RangeError(`${name}: no such broker; there are ${BROKER_NAMES.join(', ')}`)
  })
}
