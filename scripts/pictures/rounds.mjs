// Draws the rounds of iterative dumps: the memory that each wrote, and how long it froze the processes,
// beside a plain dump.
import * as Plot from '@observablehq/plot';
import { BLUE, ORANGE, toSvg } from './svg.mjs';

/**
 * An SVG with a row for each workload.
 * @param {readonly { workload: string, dumps: readonly { name: string, mib: number, frozenMs: number }[] }[]} workloads
 */
export function roundsChart(workloads) {
  const bars = workloads.flatMap(({ workload, dumps }) =>
    dumps.flatMap(({ name, mib, frozenMs }) => [
      { workload, name, measure: 'memory written, MiB', value: mib, part: part(dumps, 'mib', mib) },
      {
        ...{ workload, name, measure: 'frozen time, ms', value: frozenMs },
        part: part(dumps, 'frozenMs', frozenMs),
      },
    ]),
  );
  const names = [...new Set(workloads.flatMap(({ dumps }) => dumps.map(({ name }) => name)))];
  // The dump that ends the rounds comes last.
  names.push(...names.splice(names.indexOf('dump'), 1));
  const axes = { x: 'part', y: 'name', fx: 'measure', fy: 'workload' };
  return toSvg('Memory written and frozen time of each round of iterative dumps', {
    width: 790,
    height: 130 * workloads.length + 40,
    marginLeft: 112,
    marginRight: 190,
    marginTop: 34,
    marginBottom: 8,
    x: { axis: null, domain: [0, 1.22] },
    y: { label: null, domain: names, tickSize: 0, padding: 0.2 },
    fx: {
      axis: 'top',
      label: null,
      padding: 0.05,
      domain: ['memory written, MiB', 'frozen time, ms'],
    },
    fy: { label: null, padding: 0.12, domain: workloads.map(({ workload }) => workload) },
    color: { domain: ['memory written, MiB', 'frozen time, ms'], range: [BLUE, ORANGE] },
    marks: [
      Plot.barX(bars, { ...axes, fill: 'measure' }),
      Plot.text(bars, {
        ...axes,
        text: ({ value }) => String(value),
        textAnchor: 'start',
        dx: 4,
      }),
    ],
  });
}

function part(dumps, key, value) {
  return value / Math.max(...dumps.map((dump) => dump[key]));
}
