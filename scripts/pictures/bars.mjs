// Draws times that were measured several times: a bar for the median of each, and a dot for each measurement.
import * as Plot from '@observablehq/plot';
import { BLUE, ORANGE, toSvg } from './svg.mjs';

/**
 * An SVG with a bar for each thing that was measured.
 * @param {readonly { what: string, timeMs: number }[]} times
 */
export function barsChart(times) {
  const names = [...new Set(times.map(({ what }) => what))];
  const bars = names.map((what) => {
    const own = times.filter((time) => time.what === what).map(({ timeMs }) => timeMs);
    return { what, median: own.toSorted((a, b) => a - b)[Math.floor(own.length / 2)] };
  });
  return toSvg('Time to the first answer: cold starts and copies', {
    width: 760,
    height: 72 + 44 * names.length,
    marginLeft: 120,
    marginRight: 64,
    marginBottom: 44,
    x: {
      label: 'time to the first answer, ms',
      labelAnchor: 'center',
      domain: [0, Math.max(...times.map(({ timeMs }) => timeMs))],
    },
    y: { label: null, domain: names },
    marks: [
      Plot.gridX({ strokeOpacity: 0.15 }),
      Plot.barX(bars, { x: 'median', y: 'what', fill: BLUE, fillOpacity: 0.5, inset: 4 }),
      Plot.dot(times, { x: 'timeMs', y: 'what', r: 3, fill: ORANGE }),
      Plot.text(bars, {
        ...{ x: 'median', y: 'what', text: ({ median }) => `${median} ms` },
        ...{ textAnchor: 'start', dx: 12, fontWeight: 'bold' },
      }),
    ],
  });
}
