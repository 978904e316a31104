import { ConnectReturnCode, PacketType, ReasonCode } from '@godwit/protocol'
import { connect, scenario, type Scenario } from '@godwit/testkit'
import { expect } from 'vitest'
import { connectBytes, ConnectFlag, type ConnectParts, text } from '../connect-bytes.ts'

const { CleanStart, Will, WillQoS1, UserName, Password } = ConnectFlag

/** A CONNECT of 3.1, byte by byte. */
function connect31(parts: ConnectParts): Uint8Array {
  return connectBytes({ protocolName: 'MQIsdp', version: 3, properties: '', ...parts })
}

async function accepts({ raw }: Pick<Scenario, 'raw'>, parts: ConnectParts): Promise<void> {
  const client = await raw({ version: 3 })
  await client.sendsBytes(connect31(parts))
  await client.receivesBytes('20 02 00 00')
  await client.disconnects()
}

scenario('[3.1 3.1] a CONNECT of "MQIsdp" at version 3 is accepted', async ({ raw, broker }) => {
  const client = await raw({ version: 3 })
  await client.sendsBytes('10 0f 00 06 4d 51 49 73 64 70 03 02 00 3c 00 01 61')
  await client.receivesBytes('20 02 00 00')
  expect([...broker.running.clients()].map(({ clientId }) => clientId)).toEqual(['a'])
})

for (const version of [0, 2, 4, 5, 131]) {
  scenario(`[3.1 3.1] "MQIsdp" at version ${version} gets return code 1, then the connection is closed`, async ({ raw }) => {
    const client = await raw({ version: 3 })
    await client.sendsBytes(connect31({ version }))
    await client.receivesBytes('20 02 00 01')
    await client.isClosed()
  })
}

scenario('[3.1 3.1] other protocol names are closed without an answer', async ({ raw }) => {
  for (const protocolName of ['MQIsdP', 'MQIsd', 'mqisdp', 'MQIsdpX']) {
    const client = await raw({ version: 3 })
    await client.sendsBytes(connect31({ protocolName }))
    await client.isClosed()
  }
})

scenario(
  '[3.1 3.1] an empty ClientID is refused with return code 2, with Clean Session 1 as well',
  async ({ refuses, broker }) => {
    for (const cleanStart of [true, false]) {
      await refuses({ version: 3, clientId: '', cleanStart }, ConnectReturnCode.IdentifierRejected)
    }
    expect(broker.running.counts.sessions).toBe(0)
  }
)

scenario('[3.1 3.1] ClientIDs of 1 to 23 characters are accepted, and longer ones', async ({ connects, broker }) => {
  for (const length of [1, 22, 23, 24, 100]) await connects({ version: 3, clientId: 'x'.repeat(length) })
  expect(broker.running.counts.clients).toBe(5)
})

scenario(
  '[3.1 3.1] a server that allows no more than 23 characters refuses longer ClientIDs with return code 2',
  { limits: { clientIdBytesMax: 23 } },
  async ({ connects, refuses }) => {
    await connects({ version: 3, clientId: 'x'.repeat(23) })
    await refuses({ version: 3, clientId: 'x'.repeat(24) }, ConnectReturnCode.IdentifierRejected)
  }
)

scenario(
  '[3.1 3.1] the User Name Flag without the field is allowed: Remaining Length takes precedence',
  async ({ raw, broker }) => {
    const seen: unknown[] = []
    await broker.restarts({
      authenticate: ({ userName, password }) => ({ accepted: seen.push([userName, password && [...password]]) > 0 })
    })
    await accepts({ raw }, { flags: CleanStart | UserName })
    await accepts({ raw }, { flags: CleanStart | UserName | Password })
    await accepts({ raw }, { flags: CleanStart | UserName | Password, payload: `${text('a')}${text('user')}` })
    const payload = `${text('a')}${text('w')}${text('gone')}`
    await accepts({ raw }, { flags: CleanStart | Will | WillQoS1 | UserName, payload })
    await accepts({ raw }, { flags: CleanStart | UserName | Password, payload: ['a', 'user', 'secret'].map(text).join('') })
    expect(seen).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      ['user', undefined],
      [undefined, undefined],
      ['user', [...Buffer.from('secret')]]
    ])
  }
)

scenario(
  '[3.1 3.1] a CONNECT cut short within a field, or with more behind them, is closed without an answer',
  async ({ raw }) => {
    const payloads = [
      { flags: CleanStart, payload: '' },
      { flags: CleanStart, payload: '0002 61' },
      { flags: CleanStart, payload: `${text('a')}00` },
      { flags: CleanStart | UserName, payload: `${text('a')}00` },
      { flags: CleanStart | UserName, payload: `${text('a')}0005 75` },
      { flags: CleanStart | Will, payload: `${text('a')}${text('w')}` }
    ]
    for (const parts of payloads) {
      const client = await raw({ version: 3 })
      await client.sendsBytes(connect31(parts))
      await client.isClosed()
    }
  }
)

const REFUSALS = [
  { reasonCode: ReasonCode.ServerUnavailable, returnCode: ConnectReturnCode.ServerUnavailable },
  { reasonCode: ReasonCode.BadUserNameOrPassword, returnCode: ConnectReturnCode.BadUserNameOrPassword },
  { reasonCode: ReasonCode.NotAuthorized, returnCode: ConnectReturnCode.NotAuthorized }
] as const

for (const { reasonCode, returnCode } of REFUSALS) {
  scenario(`[3.1 3.2] a client is refused with return code ${returnCode}`, async ({ broker, refuses }) => {
    await broker.restarts({ authenticate: () => ({ accepted: false, reasonCode }) })
    await refuses({ version: 3, clientId: 'device' }, returnCode)
  })
}

scenario('[3.1 3.2] CONNACK does not tell of a session: its first byte is not used', async ({ raw, connects }) => {
  const before = await connects({ version: 3, clientId: 'device', cleanStart: false })
  await before.subscribes('t', { qos: 1 })
  await before.disconnects()
  const publisher = await connects({ version: 3 })
  await publisher.publishes('t', 'waiting', { qos: 1 })
  const back = await raw({ version: 3 })
  await back.sends(connect({ version: 3, clientId: 'device', cleanStart: false }))
  await back.receivesBytes('20 02 00 00')
  await back.receives({ type: PacketType.Publish, payload: 'waiting' })
})

scenario('[3.1 3.1] a client with the same ClientID has the older one disconnected', async ({ connects }) => {
  const older = await connects({ version: 3, clientId: 'device' })
  const newer = await connects({ version: 3, clientId: 'device' })
  await older.isClosed()
  await newer.receivesNothing()
})

scenario('[3.1 3.1] a second CONNECT closes the connection', async ({ connects }) => {
  const client = await connects({ version: 3, clientId: 'device' })
  await client.sends(connect({ version: 3, clientId: 'device' }))
  await client.isClosed()
})

scenario(
  '[3.1 3.1] a client that is silent for one and a half times its Keep Alive is disconnected',
  async ({ connects, clock }) => {
    const client = await connects({ version: 3, keepAliveSeconds: 10 })
    await clock.advancesSeconds(14)
    await client.sendsBytes('c0 00')
    await client.receivesBytes('d0 00')
    await clock.advancesSeconds(14)
    await client.receivesNothing()
    await clock.advancesSeconds(2)
    await client.isClosed()
  }
)
