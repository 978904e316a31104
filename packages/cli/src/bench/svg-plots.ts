import { escaped } from './html-text.ts'
import type { Scale } from './plot-scales.ts'

/** A line of a plot. */
export interface PlotLine {
  readonly name: string
  /** Which of the report's colours: one for each broker. */
  readonly colour: number
  readonly stroke: 'solid' | 'dashed' | 'dotted'
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface LinePlot {
  readonly title: string
  readonly lines: readonly PlotLine[]
  readonly x: Scale
  readonly y: Scale
}

export interface Bar {
  readonly name: string
  readonly colour: number
  readonly value: number
  readonly label: string
}

interface BarGroup {
  readonly label: string
  readonly bars: readonly Bar[]
  /** What the longest bar would stand for. */
  readonly highest: number
}

export interface BarPlot {
  readonly title: string
  readonly groups: readonly BarGroup[]
}

const WIDTH = 400
const HEIGHT = 220
const LEFT = 56
const RIGHT = 14
const TOP = 30
const BOTTOM = 26
const BARS_WIDTH = 1_000
const BAR = 18
const BAR_LABELS = 130
const BAR_VALUES = 180

/** Lines over two scales, in the colours of the page around it. */
export function linePlot({ title, lines, x, y }: LinePlot): string {
  const left = (value: number): number => LEFT + x.place(value) * (WIDTH - LEFT - RIGHT)
  const top = (value: number): number => HEIGHT - BOTTOM - Math.max(0, y.place(value)) * (HEIGHT - TOP - BOTTOM)
  const grid = [
    ...y.ticks.map(({ value, label }) => {
      const height = fixed(top(value))
      const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${height}" y2="${height}"/>`
      return `${line}<text class="tick" x="${LEFT - 8}" y="${fixed(top(value) + 4)}" text-anchor="end">${escaped(label)}</text>`
    }),
    ...x.ticks.map(
      ({ value, label }) =>
        `<text class="tick" x="${fixed(left(value))}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(label)}</text>`
    )
  ]
  const areas = lines
    .filter(({ stroke }) => stroke === 'solid')
    .map(({ colour, points }) => {
      const path = points.map(([px, py]) => `L${fixed(left(px))} ${fixed(top(py))}`).join('')
      const [start, end] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0]
      const base = HEIGHT - BOTTOM
      return `<path class="area c${colour}" d="M${fixed(left(start))} ${base}${path}L${fixed(left(end))} ${base}Z"/>`
    })
  const paths = lines.map(({ name, colour, stroke, points }) => {
    const path = points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${fixed(left(px))} ${fixed(top(py))}`).join('')
    return `<path class="line c${colour} ${stroke}" d="${path}"><title>${escaped(name)}</title></path>`
  })
  return svg(title, WIDTH, HEIGHT, [...legend(lines), ...grid, ...areas, ...paths])
}

/** Bars beside one another, group by group. */
export function barPlot({ title, groups }: BarPlot): string {
  const parts: string[] = []
  let top = 6
  for (const { label, bars, highest } of groups) {
    parts.push(
      `<text x="${BAR_LABELS - 12}" y="${fixed(top + (bars.length * BAR) / 2 + 2)}" text-anchor="end">${escaped(label)}</text>`
    )
    for (const { name, colour, value, label: text } of bars) {
      const width = Math.max(1, (value / highest) * (BARS_WIDTH - BAR_LABELS - BAR_VALUES))
      parts.push(
        `<rect class="bar c${colour}" x="${BAR_LABELS}" y="${top}" width="${fixed(width)}" height="${BAR - 3}" rx="2"><title>${escaped(name)}</title></rect>`,
        `<text class="tick" x="${fixed(BAR_LABELS + width + 6)}" y="${top + BAR - 6}">${escaped(text)}</text>`
      )
      top += BAR
    }
    top += 8
  }
  return svg(title, BARS_WIDTH, top, parts)
}

function legend(lines: readonly PlotLine[]): string[] {
  let left = LEFT
  return lines.map(({ name, colour, stroke }) => {
    const x = left
    left += 40 + name.length * 6.2
    return `<line class="line c${colour} ${stroke}" x1="${fixed(x)}" x2="${fixed(x + 20)}" y1="12" y2="12"/><text x="${fixed(x + 26)}" y="16">${escaped(name)}</text>`
  })
}

function svg(title: string, width: number, height: number, parts: readonly string[]): string {
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    ...parts,
    '</svg>'
  ].join('\n')
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)))
}
