import { type ClientScenarios, clientScenarios } from '@godwit/testkit'
import type { Client } from './client.ts'
import { openClient } from './connect.ts'
import type { ClientEventName, ClientEvents } from './events.ts'
import type { ClientOptions } from './options.ts'

const scenarios: ClientScenarios<ClientOptions, Client> = clientScenarios<ClientOptions, Client>(openClient)

/** The client and a server that sends what the test tells it to. */
export const served: (typeof scenarios)['served'] = (...scenario) => scenarios.served(...scenario)
/** Clients and our own broker. */
export const brokered: (typeof scenarios)['brokered'] = (...scenario) => scenarios.brokered(...scenario)

/** The events of these names, from here on, in order. */
export function events<Name extends ClientEventName>(client: Client, ...names: readonly Name[]): RecordedEvent<Name>[] {
  const recorded: RecordedEvent<Name>[] = []
  for (const name of names) client.on(name, (event) => recorded.push({ name, event }))
  return recorded
}

export interface RecordedEvent<Name extends ClientEventName> {
  readonly name: Name
  readonly event: ClientEvents[Name]
}
