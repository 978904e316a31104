/** Of the report: readable in light and dark, on paper and on small screens. The colours of brokers differ in lightness too. */
export const STYLE = `
:root { color-scheme: light dark; --page: #f6f8fa; --card: #fff; --text: #1f2328; --quiet: #59636e; --rule: #d1d9e0; --grid: #e6eaee;
  --c0: #0969da; --c1: #bc4c00; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --warn-page: #fff8c5 }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --card: #151b23; --text: #f0f6fc; --quiet: #9198a1; --rule: #3d444d; --grid: #262c36;
    --c0: #58a6ff; --c1: #f0a35e; --good: #3fb950; --bad: #f85149; --warn: #d29922; --warn-page: #2b2413 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 2rem 1rem 4rem; background: var(--page); color: var(--text); font: 14.5px/1.5 system-ui, sans-serif }
main { max-width: 76rem; margin: 0 auto }
h1 { margin: 0; font-size: 1.7rem } h2 { margin: 2.2rem 0 .7rem; font-size: 1.2rem } h3 { margin: 0 0 .5rem; font-size: .95rem; font-weight: 600 }
p { margin: .3rem 0 } .quiet { color: var(--quiet) }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem 1.1rem; overflow-x: auto }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin-right: .45em } .key.c0 { background: var(--c0) } .key.c1 { background: var(--c1) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .55rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap }
th { color: var(--quiet); font-weight: 600; font-size: .85rem } .left { text-align: left }
tr:last-child td { border-bottom: 0 } .strong { font-weight: 650 }
.better { color: var(--good) } .worse, .bad { color: var(--bad) } .within-noise, .too-few { color: var(--quiet) }
.warnings { background: var(--warn-page); border-color: var(--warn); margin-top: 1rem } .warnings ul { margin: 0; padding-left: 1.2rem }
.wide svg { max-width: 60rem } svg { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif } svg text { fill: var(--text) } svg .tick { fill: var(--quiet) }
.grid { stroke: var(--grid) } .line { fill: none; stroke-width: 2; stroke-linejoin: round } .line.c0 { stroke: var(--c0) } .line.c1 { stroke: var(--c1) }
.area { opacity: .08 } .area.c0 { fill: var(--c0) } .area.c1 { fill: var(--c1) }
.dashed { stroke-dasharray: 6 4 } .dotted { stroke-dasharray: 2 3; stroke-width: 1.5 } .bar.c0 { fill: var(--c0) } .bar.c1 { fill: var(--c1) }
@media print { body { background: none; padding: 0 } .card { break-inside: avoid } }
`
