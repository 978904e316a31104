import { expect, it } from 'vitest'
import { barChart } from './bar-chart.ts'

const chart = barChart({
  title: 'Messages < bytes',
  legend: ['Godwit', 'Aedes'],
  groups: [
    {
      label: 'p2p',
      bars: [
        { series: 0, value: 1000 },
        { series: 1, value: 250 }
      ]
    },
    {
      label: 'fanout',
      bars: [
        { series: 0, value: 500 },
        { series: 1, value: Number.NaN }
      ]
    },
    { label: 'fanin', bars: [{ series: 0, value: Number.NaN }] }
  ]
})

function lengths(series: number): number[] {
  const bars = chart.matchAll(new RegExp(`<rect class="bar${series}" x="110" y="\\d+" width="([\\d.]+)"`, 'g'))
  return [...bars].map(([, width]) => Number(width)).filter((width) => width !== 12)
}

it('draws bars in proportion to their values, and nothing for what was not measured', () => {
  expect(lengths(0)).toEqual([560, 280])
  expect(lengths(1)).toEqual([140])
  expect(chart).not.toContain('fanin')
})

it('escapes what XML would misread', () => {
  expect(chart).toContain('<title>Messages &lt; bytes</title>')
})

it('has colours for readers in the dark', () => {
  expect(chart).toContain('prefers-color-scheme: dark')
})
