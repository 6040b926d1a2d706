/**
 * The style sheet of report.html: system fonts, light and dark by the reader's setting, narrow screens, paper. Put into the page by
 * page.ts; loads nothing from anywhere.
 */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f6f7f9; --ink: #16191d; --soft: #565d66; --line: #dfe2e6; --strong: #c3c8ce;
  --good: #15693b; --good-fill: #e3f3e9; --bad: #b3261e; --bad-fill: #fbe9e7; --warn: #8a5300; --warn-fill: #fdf1dc; --accent: #2457a6;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161b22; --raised: #1e242c; --ink: #e7e9ec; --soft: #a5aeb8; --line: #2d3742; --strong: #4a5561;
    --good: #6fcf97; --good-fill: #173324; --bad: #ff8a80; --bad-fill: #421c1a; --warn: #f2b866; --warn-fill: #3a2b12; --accent: #8ab4f8;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 var(--sans); overflow-wrap: break-word; }
main, .page-foot { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
main { padding-top: 28px; }
h1, h2, h3, p, dl, dd, figure { margin: 0; }
h2 { font-size: 19px; line-height: 1.3; font-weight: 620; letter-spacing: -0.01em; margin-bottom: 10px; }
h3 { font-size: 15px; line-height: 1.4; font-weight: 620; }
section { margin-top: 44px; scroll-margin-top: 16px; }
.sub, .note, .none, .exit { color: var(--soft); }
.sub { font-weight: 400; font-size: 13px; letter-spacing: 0; }
.note { font-size: 13px; margin-bottom: 8px; max-width: 110ch; text-wrap: pretty; }
.good { color: var(--good); } .bad { color: var(--bad); } .changed { color: var(--warn); font-weight: 600; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
code, pre { font-family: var(--mono); font-size: 0.88em; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

.run { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; }
.run .name { font-weight: 620; }
h1 { display: flex; gap: 16px; align-items: flex-start; margin: 14px 0 14px; font-size: 25px; line-height: 1.32; font-weight: 600; letter-spacing: -0.015em; }
h1 .sentence { text-wrap: pretty; max-width: 46em; }
.badge { flex: none; margin-top: 3px; padding: 3px 11px 3px 9px; border-radius: 6px; font-size: 15px; line-height: 1.4; letter-spacing: 0; white-space: nowrap; background: var(--warn-fill); color: var(--warn); border: 1px solid currentColor; }
.badge.passed { background: var(--good-fill); color: var(--good); }
.badge.failed { background: var(--bad-fill); color: var(--bad); }
.advice { max-width: 75ch; }
.command { margin: 6px 0 0; padding: 8px 12px; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
.banner { margin-top: 14px; padding: 10px 14px; border-left: 4px solid var(--warn); background: var(--warn-fill); border-radius: 0 6px 6px 0; }
.banner.bad { border-color: var(--bad); background: var(--bad-fill); color: var(--ink); }
.banner.bad strong { color: var(--bad); }
.exit { margin-top: 10px; font-size: 13px; }
.figures { display: flex; flex-wrap: wrap; gap: 1px; margin-top: 24px; background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.figures div { flex: 1 1 178px; background: var(--paper); padding: 12px 16px 13px; }
.figures dt { font-size: 13px; color: var(--soft); }
.figures b { display: block; font-size: 25px; line-height: 1.3; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.figures span { font-size: 12.5px; color: var(--soft); }

.scroll { position: relative; overflow-x: auto; margin: 0 -4px; padding: 0 4px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: 13px; padding: 12px 0 4px; }
th, td { text-align: left; padding: 5px 18px 5px 0; vertical-align: baseline; border-bottom: 1px solid var(--line); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 12.5px; border-bottom-color: var(--strong); white-space: nowrap; vertical-align: bottom; }
thead td { border: 0; }
thead .colgroup { text-align: right; border: 0; padding-bottom: 0; color: var(--ink); font-weight: 600; }
th, td { white-space: nowrap; }
tbody th { font-weight: 500; }
td.wrap { white-space: normal; min-width: 15em; }
tbody tr:hover > * { background: var(--raised); }
.num { text-align: right; white-space: nowrap; }
tr.group th { padding-top: 16px; font-weight: 620; white-space: normal; }
tr.group:hover > * { background: none; }
.judged { display: inline-block; min-width: 5em; }
.missing { color: var(--soft); cursor: help; }
th[title], th span[title] { cursor: help; }
.bar { width: 110px; height: 8px; vertical-align: middle; border: 0; background: none; appearance: none; -webkit-appearance: none; }
.bar::-webkit-meter-bar { background: var(--raised); border: 0; border-radius: 2px; height: 8px; }
.bar::-webkit-meter-optimum-value { background: var(--bad); border-radius: 2px; }
.bar::-moz-meter-bar { background: var(--bad); border-radius: 2px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(400px, 100%), 1fr)); gap: 20px; margin-bottom: 8px; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: 13px 16px 8px; min-width: 0; }
.card table { margin-top: 6px; }
.card tr:last-child > * { border-bottom: 0; }
.message { color: var(--bad); }
.pair { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 12px 48px; align-items: start; }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
.json { max-height: 560px; overflow: auto; padding: 12px 14px; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; line-height: 1.45; }
.metadata { font-size: 13.5px; }
.metadata div { display: grid; grid-template-columns: 172px minmax(0, 1fr); gap: 16px; padding: 4px 0; border-bottom: 1px solid var(--line); }
.metadata dt { color: var(--soft); }
.metadata dd { overflow-wrap: anywhere; }
.page-foot { margin-top: 48px; padding-top: 14px; padding-bottom: 40px; color: var(--soft); font-size: 13px; }

.charts-head { display: flex; flex-wrap: wrap; gap: 8px 20px; align-items: center; margin-bottom: 6px; }
.charts-head h2 { margin: 0 auto 0 0; }
.tools { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; font-size: 13.5px; }
.tools label { display: inline-flex; gap: 6px; align-items: center; cursor: pointer; }
.tools label[hidden] { display: none; }
.tools select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 5px; padding: 1px 4px; }
.tools input { accent-color: var(--accent); margin: 0; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--strong); border-radius: 6px; padding: 2px 10px; cursor: pointer; }
button:hover:not(:disabled) { background: var(--raised); }
button:disabled { opacity: 0.45; cursor: default; }
.chart { position: relative; margin-top: 18px; }
.chart-head { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; min-height: 26px; }
.chart-head h3 { margin-right: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 4px; }
.legend button { display: inline-flex; gap: 6px; align-items: center; border-color: transparent; padding: 1px 7px; font-size: 12.5px; }
.legend button[aria-pressed="false"] { color: var(--soft); text-decoration: line-through; }
.legend .swatch { width: 14px; height: 3px; border-radius: 2px; }
.legend .swatch.dashed { width: 24px; border-radius: 0; }
.legend .swatch.filled { height: 10px; }
.legend button[aria-pressed="false"] .swatch { opacity: 0.3; }
.plot { position: relative; height: 250px; }
.plot canvas { touch-action: pan-y; cursor: crosshair; }
.tooltip { position: fixed; z-index: 5; top: 0; left: 0; pointer-events: none; max-width: min(330px, calc(100vw - 16px)); padding: 8px 12px 9px; background: var(--paper); border: 1px solid var(--strong); border-radius: 8px; box-shadow: 0 4px 18px rgb(0 0 0 / 0.16); font-size: 12.5px; line-height: 1.45; font-variant-numeric: tabular-nums; }
.tooltip[hidden] { display: none; }
.tooltip .time { font-weight: 620; }
.tooltip table { font-size: inherit; width: 100%; }
.tooltip th, .tooltip td { border: 0; padding: 0 0 0 16px; white-space: nowrap; font-weight: 400; }
.tooltip th { padding-left: 0; }
.tooltip td { text-align: right; }
.tooltip .part th { color: var(--soft); padding-top: 4px; }
.tooltip .swatch { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 7px; }
.tooltip .in-force { color: var(--soft); padding-top: 4px; white-space: normal; }

@media (max-width: 760px) {
  main, .page-foot { padding-left: 16px; padding-right: 16px; }
  main { padding-top: 18px; }
  h1 { flex-direction: column; gap: 8px; font-size: 20px; }
  section { margin-top: 34px; }
  .figures div { flex-basis: 40%; padding: 10px 12px; }
  .figures b { font-size: 20px; }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .metadata div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  th, td { padding-right: 14px; }
  .card { padding: 12px 12px 6px; }
  .scroll { scrollbar-width: thin; }
  /* What a row is stays in sight while its figures are scrolled. */
  .scroll tbody tr:not(.group) > th:first-child { position: sticky; left: -4px; z-index: 1; background: var(--paper); white-space: normal; overflow-wrap: normal; }
}
@media (pointer: coarse) {
  .tools label, .tools button, .tools select, .legend button, summary { min-height: 32px; }
  .tools input { width: 18px; height: 18px; }
  summary { padding: 5px 0; }
  .scroll a { display: inline-block; padding: 5px 0; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --raised: #f6f7f9; --ink: #000; --soft: #444; --line: #ccc; --strong: #999; --good: #15693b; --good-fill: #e3f3e9; --bad: #b3261e; --bad-fill: #fbe9e7; --warn: #8a5300; --warn-fill: #fdf1dc; }
  body { font-size: 10.5pt; }
  main, .page-foot { max-width: none; padding: 0; }
  .tools, .tooltip, .how { display: none; }
  .scroll { overflow: visible; margin: 0; padding: 0; }
  table { font-size: 8.5pt; }
  th, td { padding-right: 9px; white-space: normal; }
  td.wrap { min-width: 9em; }
  tr, .card, .chart, .figures { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .json { max-height: none; }
}
`;
