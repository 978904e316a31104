import { describe, expect, test } from 'vitest'
import { createLogger, type ServerLogger } from './logger.ts'

function logs(format: 'text' | 'json', entry: (logger: ServerLogger) => void): string {
  let written = ''
  entry(createLogger({ level: 'info', format }, (line) => (written += line)))
  return written
}

test('text: time, level, message, and fields', () => {
  expect(logs('text', (logger) => logger.info({ clientId: 'tern-1', port: 1883, peer: '::1' }, 'client connected'))).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO {2}client connected clientId=tern-1 port=1883 peer=::1\n$/
  )
})

test.each(['two\nlines', 'an escape \u001b[31m', 'a "quote" = sign', 'a next line \u0085', 'a separator \u2028', ''])(
  'text: what a client chose stays one value on one line: %j',
  (clientId) => {
    const line = logs('text', (logger) => logger.info({ clientId, next: 1 }, 'client connected'))
    // Every control character but the line's end, and what else breaks a line.
    expect(line.trimEnd()).not.toMatch(/[\p{Control}\u2028\u2029]/u)
    expect(line.split('\n')).toHaveLength(2)
    expect(line).toContain(
      `clientId=${JSON.stringify(clientId).replace('\u0085', '\\u0085').replace('\u2028', '\\u2028')} next=1`
    )
  }
)

test('text: an error comes with its stack', () => {
  const [line, stack] = logs('text', (logger) => logger.error({ err: new TypeError('oh'), clientId: 'a' }, 'failed')).split('\n')
  expect(line).toMatch(/ ERROR failed clientId=a$/)
  expect(stack).toBe('    TypeError: oh')
})

test('text: what an error came of is told, though it be the error itself', () => {
  const error = new Error('no answer', { cause: new RangeError('no room') })
  expect(logs('text', (logger) => logger.error({ err: error }, 'failed'))).toMatch(/\n {4}caused by: RangeError: no room\n/)
  error.cause = error
  expect(logs('text', (logger) => logger.error({ err: error }, 'failed'))).toContain('caused by: Error: no answer')
})

test('json: an error tells its kind, code, message and stack', () => {
  const error = Object.assign(new TypeError('oh'), { code: 'EOH', secret: 1n })
  const entry: unknown = JSON.parse(logs('json', (logger) => logger.error({ err: error }, 'failed')))
  const stack: unknown = expect.stringContaining('TypeError: oh')
  expect(entry).toMatchObject({ msg: 'failed', err: { type: 'TypeError', code: 'EOH', message: 'oh', stack } })
})

test('json: an object on each line', () => {
  const line = logs('json', (logger) => logger.warn({ clientId: 'two\nlines' }, 'slow'))
  expect(line.indexOf('\n')).toBe(line.length - 1)
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', clientId: 'two\nlines', msg: 'slow' })
  expect(line).toMatch(/"time":"\d{4}-\d\d-\d\dT[\d:.]+Z"/)
})

describe('the level', () => {
  test('is the least that is written, and can be changed', () => {
    const written = logs('text', (logger) => {
      logger.debug({}, 'unheard')
      logger.setLevel('debug')
      logger.debug({}, 'heard')
      logger.setLevel('silent')
      logger.error({}, 'hushed')
    })
    expect(written).toMatch(/DEBUG heard\n$/)
    expect(written.split('\n')).toHaveLength(2)
  })
})
