import { expect, test } from 'vitest'
import { compare } from './comparison.ts'
import { htmlReport } from './html-report.ts'
import { reportWith, roundsWith, runWith } from './report.test.support.ts'

const runs = [...roundsWith('A', [100, 110, 120, 130, 140]), ...roundsWith('B', [200, 210, 220, 230, 240])]
const comparisons = compare(runs.slice(0, 5), runs.slice(5), 'rounds')
const hostile = '<script src="https://elsewhere.example/x.js">&"'

const reports = {
  'of one broker': reportWith({}),
  'of two brokers, beside a baseline': reportWith({
    runs,
    comparisons,
    baseline: { startedAt: '2026-01-01T00:00:00.000Z', comparisons },
    brokers: [
      { name: 'A', url: 'mqtt://a.example', pid: 12 },
      { name: 'B', url: 'mqtt://b.example', pid: null }
    ]
  }),
  'of a run in which nothing came': reportWith({
    runs: [runWith(0, { latency: null, acknowledgementMs: null, series: [], verification: null })]
  }),
  'of an interrupted call': reportWith({ runs: [] }),
  'with what others wrote in it': reportWith({
    warnings: [hostile],
    brokers: [{ name: 'A', url: hostile, pid: null }],
    machine: { ...reportWith({}).machine, processorModel: hostile }
  })
}

test.each(Object.entries(reports))('a report %s is well-formed', (_what, report) => {
  const html = htmlReport(report)
  const open: string[] = []
  for (const [tag, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s+[a-z-]+(?::[a-z]+)?="[^"<>]*")*\s*\/?>/gi)) {
    if (slash === '/') expect(open.pop(), tag).toBe(name)
    else if (!tag.endsWith('/>')) open.push(name)
  }
  expect(open).toEqual([])
  const text = html.replace(/^<!DOCTYPE html>/, '').replaceAll(/<\/?[a-z][^<>]*>/gi, '')
  expect(text).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/)
  expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/)
})

test.each(Object.entries(reports))('a report %s refers to nothing outside of it', (_what, report) => {
  const tags = [...htmlReport(report).matchAll(/<[a-z][^<>]*>/gi)].map(([tag]) => tag)
  expect(tags.filter((tag) => /^<(script|link|img|iframe|object|embed|base|a)\b/i.test(tag))).toEqual([])
  expect(tags.filter((tag) => /\s(src|href|xlink:href|srcset|action|data|on[a-z]+)=/i.test(tag))).toEqual([])
  expect(htmlReport(report)).not.toMatch(/url\(|@import/i)
})

test('a report of two brokers shows both, their comparison, and a plot of each kind', () => {
  const html = htmlReport(reports['of two brokers, beside a baseline'])
  for (const text of [
    'A: mqtt://a.example',
    'B: mqtt://b.example',
    'B against A',
    'better',
    'Against the baseline of 2026-01-01 00:00 UTC'
  ]) {
    expect(html).toContain(text)
  }
  for (const title of ['Rate of each scenario', 'Rate over time', 'Latency over time', 'Latency distribution']) {
    expect(html).toContain(`aria-label="${title}"`)
  }
  expect(html).toContain('prefers-color-scheme: dark')
})
