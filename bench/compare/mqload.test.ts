import { expect, it } from 'vitest'
import { Mqload, outcomeOf } from './mqload.ts'

it('reads the numbers of the last line, and the error if there is one', () => {
  expect(outcomeOf('warming up\n{"scenario":"p2p","qos":1,"per_cpu_s":1000}\n')).toEqual({
    figures: { qos: 1, per_cpu_s: 1000 },
    error: undefined
  })
  expect(outcomeOf('{"error":"no broker"}').error).toBe('no broker')
})

it('given a folder without it, then what can be done is said', () => {
  expect(() => Mqload.find(import.meta.dirname, '1')).toThrow(/Name the folder of the load generator by --mqload or MQLOAD/)
})
