import { PacketType, ProtocolVersion } from '@godwit/protocol'
import { expect, it } from 'vitest'
import type { Access, ConnectRequest } from './access.ts'
import { collectGarbage } from './garbage.test.support.ts'
import { type Client, World } from './world.test.support.ts'

interface Hook {
  readonly answers: string
  readonly access: (sees: (request: ConnectRequest) => void) => Access
  readonly method?: string
}

const HOOKS: readonly Hook[] = [
  {
    answers: 'at once',
    access: (sees) => ({
      authenticate(request) {
        sees(request)
        return { accepted: true }
      }
    })
  },
  {
    answers: 'later',
    access: (sees) => ({
      async authenticate(request) {
        await Promise.resolve()
        sees(request)
        return { accepted: true }
      }
    })
  },
  {
    answers: 'by a method that may be asked again',
    access: (sees) => ({
      enhancedAuthentication(_, request) {
        sees(request)
        return { next: () => ({ status: 'done', accepted: true }) }
      }
    }),
    method: 'SCRAM-SHA-256'
  }
]

function connects(client: Client, authenticationMethod: string | undefined): void {
  const will = { topicName: 'will', payload: Buffer.from('gone'), qos: 1, retain: true } as const
  client.send({
    type: PacketType.Connect,
    protocolVersion: ProtocolVersion.Mqtt5,
    cleanStart: false,
    keepAliveSeconds: 0,
    clientId: 'device',
    will: { ...will, properties: { correlationData: Buffer.from('with it') } },
    userName: 'device',
    password: Buffer.from('the password of the device'),
    properties: {
      sessionExpiryInterval: 3600,
      authenticationMethod,
      authenticationData: authenticationMethod === undefined ? undefined : Buffer.from('the first message')
    }
  })
}

it.each(HOOKS)(
  'given a client that is authenticated $answers, then its password is let go of, and so are the bytes that it came in',
  async ({ access, method }) => {
    const held = new Map<string, WeakRef<object>>()
    const world = await World.open({
      access: access((request) => {
        held.set('request', new WeakRef(request))
        held.set('password', new WeakRef(request.password ?? {}))
        held.set('bytes', new WeakRef(request.password?.buffer ?? {}))
      })
    })
    const client = world.client()
    connects(client, method)
    await world.settle()
    expect(client.takes().map(({ type }) => type)).toEqual([PacketType.Connack])
    expect([...held.keys()]).toEqual(['request', 'password', 'bytes'])
    await collectGarbage()
    const stillHeld = Array.from(held).filter(([, reference]) => reference.deref() !== undefined)
    expect(stillHeld.map(([what]) => what)).toEqual([])
    expect(world.session('device').sender).toBeDefined()
  }
)
