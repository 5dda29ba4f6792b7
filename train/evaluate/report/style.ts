/** Style sheet of a report: light and dark, narrow and wide, screen and paper. Text keeps a contrast of 4.5 to 1. */
export const style = `
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --muted: #57606a; --line: #d0d7de; --soft: #f4f6f8;
  --heat: #3b7dd8; --met: #116329; --missed: #b3121d;
  --series-1: #0b5cad; --series-2: #b3500e; --series-3: #1a7f37; --series-4: #8250df; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1318; --text: #e6edf3; --muted: #9da7b3; --line: #3a424c;
  --soft: #181e25; --heat: #2f81f7; --met: #56d364; --missed: #ff8a80;
  --series-1: #6cb0ff; --series-2: #f0a35e; --series-3: #5bc87a; --series-4: #c297ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 16px; }
h2 { font-size: 1.25rem; margin: 0 0 8px; }
h3 { font-size: 1rem; margin: 16px 0 4px; }
h4 { font-size: .95rem; font-weight: 600; color: var(--muted); margin: 16px 0 4px; }
section { margin-top: 40px; padding-top: 24px; border-top: 1px solid var(--line); }
section > p, header > p, dd { max-width: 75ch; }
p { margin: 0 0 12px; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; white-space: pre-wrap; margin: 0; }
a { color: var(--series-1); }
figure { margin: 0; min-width: 0; }
figure h3 { margin-top: 0; }
figcaption, .note, caption { color: var(--muted); font-size: .875rem; }
dl.facts { display: grid; gap: 4px 24px; margin: 0 0 16px; }
dl.facts > div { display: grid; grid-template-columns: 13rem 1fr; gap: 12px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
section dl dt { margin-top: 8px; }
.scroll { overflow-x: auto; }
.scroll th:first-child { position: sticky; left: 0; background: var(--page); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; }
caption { text-align: left; padding-bottom: 4px; }
th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: inherit; }
thead th { color: var(--muted); vertical-align: bottom; }
th:first-child, .text { text-align: left; }
th[scope="row"], td.text { white-space: normal; }
th code { white-space: nowrap; }
td.source { text-align: left; white-space: normal; min-width: 14rem; font-size: .875rem; }
tfoot th, tfoot td { border-bottom: 0; }
.heat td { background: color-mix(in srgb, var(--heat) calc(var(--share, 0) * 45%), transparent); print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.met { color: var(--met); font-weight: 600; }
.missed { color: var(--missed); font-weight: 600; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 24px; }
.charts .wide { grid-column: 1 / -1; }
.charts svg { max-width: 100%; height: auto; }
.legend { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .875rem; }
.legend svg { fill: none; vertical-align: middle; }
img { display: block; max-width: 100%; height: auto; image-rendering: pixelated; }
.pictures { display: flex; flex-wrap: wrap; gap: 24px 32px; }
.pictures figure { flex: 0 1 auto; max-width: 100%; }
.pictures figcaption { max-width: 30rem; }
.traversal { display: grid; grid-template-columns: 8rem minmax(0, 1fr) minmax(0, 1fr); gap: 4px 16px; align-items: center; margin: 0 0 10px; break-inside: avoid; }
.traversal.single { grid-template-columns: 8rem minmax(0, 1fr); }
.traversal p { margin: 0; font-size: .875rem; }
table.images { table-layout: fixed; width: 480px; max-width: 100%; }
.images th { width: 14.5%; }
.images th:last-child { width: 71%; }
.images th, .images td { padding: 3px 8px 3px 0; border: 0; text-align: left; white-space: normal; font-size: .875rem; vertical-align: bottom; }
@media (max-width: 640px) {
  main { padding: 16px 12px 48px; }
  dl.facts > div { grid-template-columns: 1fr; gap: 0; margin-bottom: 6px; }
  th, td { padding: 4px 6px; font-size: .8125rem; }
  td.source { min-width: 22rem; }
  .traversal { grid-template-columns: 1fr; gap: 2px; margin-bottom: 16px; }
}
@media print {
  :root { --page: #fff; --text: #000; --muted: #444; --line: #bbb; --soft: #fff; --met: #116329; --missed: #b3121d;
    --series-1: #0b5cad; --series-2: #b3500e; --series-3: #1a7f37; --series-4: #8250df; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`;
