import { formatted } from '../statistics.ts'

interface Bar {
  /** Which of the legend's entries it belongs to. */
  readonly series: number
  /** NaN: left out. */
  readonly value: number
}

export interface BarChart {
  readonly title: string
  readonly legend: readonly string[]
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[]
}

const WIDTH = 760
const LABELS = 110
const VALUES = 90
const BAR = 13
const GAP = 12
const HEAD = 56
const FONT = 'font: 12px system-ui, sans-serif'

/** Readable on white and on black, and told apart by their lightness where colours are not. */
const STYLE = `
    text { ${FONT}; fill: #24292f }
    .title { font-size: 14px; font-weight: 600 }
    .bar0 { fill: #0550ae } .bar1 { fill: #bf8700 } .bar2 { fill: #afb8c1 } .bar3 { fill: #cf222e }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .bar0 { fill: #79c0ff } .bar1 { fill: #9e6a03 } .bar2 { fill: #6e7681 } .bar3 { fill: #f85149 }
    }`

/** Horizontal bars in groups, as an SVG that follows the reader's light or dark scheme. */
export function barChart({ title, legend, groups }: BarChart): string {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value)).filter(Number.isFinite)
  const scale = (WIDTH - LABELS - VALUES) / Math.max(...values, Number.MIN_VALUE)
  const lines: string[] = []
  let top = HEAD
  for (const { label, bars } of groups) {
    const shown = bars.filter(({ value }) => Number.isFinite(value))
    if (shown.length === 0) continue
    lines.push(text(LABELS - 8, top + (shown.length * BAR) / 2 + 4, label, ' text-anchor="end"'))
    for (const { series, value } of shown) {
      const length = Math.max(1, value * scale)
      lines.push(`  <rect class="bar${series}" x="${LABELS}" y="${top}" width="${length.toFixed(1)}" height="${BAR - 2}"/>`)
      lines.push(text(LABELS + length + 5, top + BAR - 3, formatted(value)))
      top += BAR
    }
    top += GAP
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">`,
    `  <title>${escaped(title)}</title>`,
    `  <style>${STYLE}\n  </style>`,
    text(0, 18, title, ' class="title"'),
    ...legend.flatMap((name, series) => legendEntry(name, series, legend)),
    ...lines,
    '</svg>\n'
  ].join('\n')
}

function legendEntry(name: string, series: number, legend: readonly string[]): string[] {
  const before = legend.slice(0, series).reduce((width, each) => width + 34 + each.length * 7, 0)
  const left = LABELS + before
  return [`  <rect class="bar${series}" x="${left}" y="32" width="12" height="10"/>`, text(left + 17, 41, name)]
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `  <text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attributes}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
