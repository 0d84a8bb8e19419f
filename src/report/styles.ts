/** The style of the page: light and dark as the reader's system has it, and for paper. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --page: #fff; --text: #1f2328; --dim: #59636e; --line: #d1d9e0; --box: #f6f8fa; --link: #0757b8;
  --good: #1a7f37; --warning: #9a6700; --error: #c41c25; --info: #0757b8;
  --v8: #e3b341; --native: #4c8fd6; --code: #57ab5a; --stacks: #b083f0; --files: #7f8c99; --shared: #39c5cf;
  --other: #c69026; --ink: #101418; --listening: #e0823c; --connection: #4c8fd6; --outside: #e5534b;
  --local: #57ab5a; --file: #8b96a1; --rest: #b8c0c8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --text: #e6edf3; --dim: #9aa4ae; --line: #30363d; --box: #161b22; --link: #6cb2ff;
    --good: #57c46d; --warning: #dbab3a; --error: #ff7b72; --info: #6cb2ff;
    --rest: #59636e; --files: #8b98a5;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1.2rem 3rem; max-width: 72rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; margin: .3rem 0; }
h1 { font-size: 1.4rem; margin: 1.2rem 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; } h4 { font-size: .85rem; margin: .6rem 0 0; color: var(--dim); }
p { margin: .4rem 0; } small, .note, .detail { color: var(--dim); font-size: .85rem; }
.detail { min-height: 2.6em; overflow-wrap: anywhere; }
a { color: var(--link); } :focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
nav { position: sticky; top: 0; z-index: 1; background: var(--page); border-bottom: 1px solid var(--line);
  display: flex; flex-wrap: wrap; gap: .1rem .9rem; padding: .5rem 0; align-items: center; }
nav input { margin-left: auto; font: inherit; padding: .1rem .5rem; background: var(--box); color: inherit;
  border: 1px solid var(--line); border-radius: 4px; }
section { scroll-margin-top: 3.2rem; }
.cards { display: flex; flex-wrap: wrap; gap: .7rem; margin: .8rem 0; }
.card { display: block; flex: 1 1 9rem; padding: .5rem .8rem; background: var(--box); border: 1px solid var(--line);
  border-left: 5px solid var(--line); border-radius: 6px; color: inherit; text-decoration: none; }
.card small, .card b { display: block; }
.card.good, .finding.good { border-left-color: var(--good); } .card.info, .finding.info { border-left-color: var(--info); }
.card.warning, .finding.warning { border-left-color: var(--warning); }
.card.error, .finding.error { border-left-color: var(--error); }
.good b { color: var(--good); } .warning b { color: var(--warning); } .error b { color: var(--error); } .info b { color: var(--info); }
.finding { padding: .4rem .8rem; background: var(--box); border-left: 5px solid var(--line); overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { padding: .15rem .9rem .15rem 0; text-align: left;
  vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; font-weight: normal; }
thead th { color: var(--dim); font-size: .85rem; } tbody th { white-space: nowrap; color: var(--dim); }
th:has(code) { white-space: normal; } .n { text-align: right; white-space: nowrap; } .wide { width: 100%; }
.added th { color: var(--good); } .removed th { color: var(--error); } .changed th { color: var(--warning); }
summary { cursor: pointer; } summary small { margin-left: .3rem; } .tree { white-space: pre; color: var(--dim);
  font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.rows details > :not(summary) { margin-left: 2rem; } .rows { overflow-x: auto; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .3rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; margin: .6rem 0; } svg text { fill: currentColor; font-size: 12px; }
.treemap rect { stroke: var(--page); stroke-width: 1; } .treemap .group { fill: var(--box); }
.treemap .cell text { fill: var(--ink); font-size: 11px; pointer-events: none; }
.treemap .older { fill: #fff; fill-opacity: .45; stroke: none; } .treemap .lazy { fill: #fff; fill-opacity: .75; stroke: none; }
.cell:focus rect.all, .cell:hover rect.all { stroke: var(--text); stroke-width: 3; } .cell:focus, .node:focus { outline: none; }
.c-v8-heap { fill: var(--v8); } .c-native { fill: var(--native); } .c-code { fill: var(--code); } .c-stacks { fill: var(--stacks); }
.c-files { fill: var(--files); } .c-shared { fill: var(--shared); } .c-other, .c-unknown { fill: var(--other); }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; background: var(--other); }
.k-v8-heap { background: var(--v8); } .k-native { background: var(--native); } .k-code { background: var(--code); }
.k-stacks { background: var(--stacks); } .k-files { background: var(--files); } .k-shared { background: var(--shared); }
.k-listening { background: var(--listening); } .k-connection { background: var(--connection); }
.k-outside { background: var(--outside); } .k-local { background: var(--local); } .k-file { background: var(--file); }
.k-rest { background: var(--rest); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .5rem 0; font-size: .85rem; }
.graph path { fill: none; stroke: var(--rest); stroke-width: 1.5; opacity: .8; }
.graph .e-listening { stroke: var(--listening); } .graph .e-connection { stroke: var(--connection); }
.graph .e-outside { stroke: var(--outside); } .graph .e-local { stroke: var(--local); } .graph .e-file { stroke: var(--file); }
.graph.chosen path { opacity: .12; } .graph.chosen path.on { opacity: 1; stroke-width: 3; }
.node rect { fill: var(--box); stroke: var(--line); } .node:focus rect, .node:hover rect { stroke: var(--text); stroke-width: 2; }
.n-listening rect { stroke: var(--listening); } .n-connection rect { stroke: var(--connection); }
.n-outside rect { stroke: var(--outside); } .n-local rect { stroke: var(--local); }
.timeline .frozen { fill: var(--error); fill-opacity: .55; } .timeline .work { fill: var(--native); }
.bar { height: .8rem; margin: .35rem 0; min-width: 8rem; } .bar rect { fill: var(--native); }
[hidden] { display: none; }
@media print {
  :root { --page: #fff; --text: #000; --dim: #444; --line: #bbb; --box: #fff; --link: #000; }
  nav, .detail { display: none; } body { max-width: none; font-size: 11px; padding: 0; }
  svg, tr, .finding, .card { break-inside: avoid; } h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; }
}
`;
