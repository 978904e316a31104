import type { QoS } from '@godwit/client'

export const LIBRARIES = ['godwit', 'mqtt.js'] as const

export type LibraryName = (typeof LIBRARIES)[number]

/** What both libraries do here, with MQTT 5.0 and their own defaults. */
export interface Library {
  /** Publishes this many messages, together, and resolves when the server has acknowledged all of them (QoS 0: when all are handed over). */
  publish(count: number, payload: Uint8Array, qos: QoS): Promise<void>
  /** Calls back with every message; resolves when the server has granted the subscription. */
  subscribe(qos: QoS, onMessage: () => void): Promise<void>
  close(): Promise<void>
}

export const TOPIC = 'bench/clients'

/** Loaded when it is measured, so that neither takes memory in the process of the other. */
export async function openLibrary(name: LibraryName, url: string): Promise<Library> {
  switch (name) {
    case 'godwit':
      return (await import('./godwit-library.ts')).openGodwit(url)
    case 'mqtt.js':
      return (await import('./mqtt-js-library.ts')).openMqttJs(url)
  }
}
