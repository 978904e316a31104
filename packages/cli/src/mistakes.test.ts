import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasOpenssl, makeCertificate } from './certificates.test.support.ts'
import { runGodwit, workbench } from './godwit.test.support.ts'

const bench = workbench()
const { directory } = bench
const anyPorts = ['--port', '0', '--http-port', '0'] as const

async function portInUse(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  bench.cleanup(() => other.close())
  const address = other.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** It says what is wrong in one line on standard error, and nothing else. */
async function refuses(args: readonly string[], code: number, line: string): Promise<void> {
  const finished = await runGodwit(args, { cwd: directory })
  expect(finished).toEqual({ code, stdout: '', stderr: `godwit: ${line}\n` })
}

const wholeNumber = 'accepted is a whole number from 0 to 65535'
const howToAllow =
  'without configured access Godwit listens on loopback only; name those who may connect (access.users), ' +
  'or let everybody in with --allow-anonymous (access.anonymous: true)'

describe('a wrong flag or verb: status 2', () => {
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['serve', '--port', 'abc'], `--port is "abc"; ${wholeNumber}`],
    [['serve', '--port', '65536'], `--port is 65536; ${wholeNumber}`],
    [['serve', '--port=-1'], `--port is -1; ${wholeNumber}`],
    [['serve', '--port', '0x10'], `--port is "0x10"; ${wholeNumber}`],
    [['serve', '--port', ''], `--port is ""; ${wholeNumber}`],
    [['serve', '--http-port', '1.5'], `--http-port is "1.5"; ${wholeNumber}`],
    [['serve', '--host', ''], '--host is ""; accepted is an address of this machine or a name for one'],
    [['serve', '--http-host', 'http://x'], '--http-host is "http://x"; accepted is an address of this machine or a name for one'],
    [['serve', '--log-level', 'loud'], '--log-level is "loud"; accepted is debug, info, warn, error, silent'],
    [['serve', '--log-format', 'xml'], '--log-format is "xml"; accepted is text, json'],
    [['serve', '--unix-socket', ''], '--unix-socket is ""; accepted is a path'],
    [['serve', '--data', ''], '--data is ""; accepted is the path of a directory'],
    [
      ['serve', '--memory', '--data', 'd'],
      `--data is "${join(directory, 'd')}"; accepted is either \`data\` or \`memory: true\`, not both`
    ],
    [['serve', '--tls-cert', 'server.pem'], '--tls-key is missing; accepted is the path of a PEM file'],
    [['serve', '--tls-key', 'server.key'], '--tls-cert is missing; accepted is the path of a PEM file'],
    [
      ['serve', '--tls-cert', 'none.pem', '--tls-key', '.'],
      `--tls-cert is "${join(directory, 'none.pem')}", which cannot be read: there is no such file\n` +
        `godwit: --tls-key is "${directory}"; accepted is the path of a file`
    ],
    [['serve', '--host', '0.0.0.0'], `tcp on 0.0.0.0:1883: ${howToAllow}`],
    [['serve', '--http-host', '::'], `http on [::]:8083: ${howToAllow}`],
    [['serve', '--config', 'none.yaml'], 'none.yaml: the configuration file cannot be read: there is no such file'],
    [['serve', '--prot', '1'], "unknown option '--prot'; did you mean --port?"],
    [['serve', '--port'], "option '--port <port>' argument missing"],
    [['serve', 'extra'], "too many arguments for 'serve'. Expected 0 arguments but got 1: extra."],
    [['srve'], "unknown command 'srve'; did you mean serve?"],
    [['--memory'], "unknown option '--memory'"],
    [['check-config'], "missing required argument 'file'"],
    [['check-config', 'none.yaml'], 'none.yaml: the configuration file cannot be read: there is no such file'],
    [['hash-password'], 'the password on standard input is empty; accepted is 1 to 65535 bytes']
  ]
  test.concurrent.each(cases)('%j', async (args, line) => {
    await refuses(args, 2, line)
  })

  test('no verb: what is accepted', async () => {
    const { code, stdout, stderr } = await runGodwit([])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Usage: godwit .*serve/s)
  })

  test('a mistake in a file: for serve and for check-config alike', async () => {
    const file = bench.file('wrong.yaml', 'listeners:\n  - kind: tcp\n    port: 1883\nlimits:\n  packetBytesMax: 1\n')
    const line = `${file}:5:19: limits.packetBytesMax is 1; accepted is a whole number from 128 to 268435460`
    await refuses(['serve', '--config', file], 2, line)
    await refuses(['check-config', file], 2, line)
    const exposed = bench.file('exposed.yaml', 'http: { host: "::" }')
    await refuses(['check-config', exposed], 2, `http on [::]:8083: ${howToAllow}`)
  })
})

describe('what the machine does not allow: status 1', () => {
  test('a port in use, for MQTT and for HTTP', async () => {
    const port = await portInUse()
    const inUse = 'the port is in use by another program'
    const mqtt = ['--port', `${port}`, '--http-port', '0']
    await refuses(['serve', '--memory', ...mqtt], 1, `cannot listen on mqtt://127.0.0.1:${port}: ${inUse}`)
    const http = ['--port', '0', '--http-port', `${port}`]
    await refuses(['serve', '--memory', ...http], 1, `cannot listen on http://127.0.0.1:${port}: ${inUse}`)
  })

  test('an address that the machine does not have', async () => {
    const args = ['serve', '--memory', '--allow-anonymous', ...anyPorts, '--host', '192.0.2.1']
    await refuses(args, 1, 'cannot listen on mqtt://192.0.2.1:0: this machine has no such address')
  })

  test('a socket where there is no directory, or another kind of file', async () => {
    const none = join(directory, 'none/godwit.sock')
    const reason = `the directory ${join(directory, 'none')} does not exist`
    await refuses(['serve', '--memory', ...anyPorts, '--unix-socket', none], 1, `cannot listen on unix:${none}: ${reason}`)
    const file = bench.file('file', '')
    const args = ['serve', '--memory', ...anyPorts, '--unix-socket', file]
    await refuses(args, 1, `cannot listen on unix:${file}: the file exists and is not a socket`)
  })

  test('a certificate that is none', async () => {
    const [certificate, key] = [bench.file('text.pem', 'hello'), bench.file('text.key', 'hello')]
    const args = ['serve', '--memory', ...anyPorts, '--tls-port', '0', '--tls-cert', certificate, '--tls-key', key]
    const { code, stderr } = await runGodwit(args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^godwit: cannot listen on mqtts:\/\/127\.0\.0\.1:0: the certificate is not a PEM certificate: .*\n$/)
  })

  test.skipIf(!hasOpenssl())('a key of another certificate (needs openssl)', async () => {
    makeCertificate(directory, 'authority')
    makeCertificate(directory, 'other')
    const files = ['--tls-cert', 'authority.pem', '--tls-key', 'other.key']
    const args = ['serve', '--memory', ...anyPorts, '--tls-port', '0', ...files]
    await refuses(args, 1, 'cannot listen on mqtts://127.0.0.1:0: the key does not belong to the certificate')
  })
})
