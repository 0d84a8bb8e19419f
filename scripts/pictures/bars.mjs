// Draws times that were measured several times: a bar for the median of each, and a dot for each measurement.
import * as Plot from '@observablehq/plot';
import { BLUE, ORANGE, toSvg } from './svg.mjs';

/**
 * An SVG with a bar for each thing.
 * @param {readonly { what: string, timesMs: readonly number[] }[]} series
 */
export function barsChart(series) {
  const bars = series.map(({ what, timesMs }) => {
    const median = timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length / 2)];
    return { what, median };
  });
  const dots = series.flatMap(({ what, timesMs }) => timesMs.map((timeMs) => ({ what, timeMs })));
  return toSvg('Time to the first answer: cold starts and copies', {
    width: 760,
    height: 72 + 44 * series.length,
    marginLeft: 120,
    marginRight: 64,
    marginBottom: 44,
    x: { label: 'time to the first answer, ms', labelAnchor: 'center', domain: [0, Math.max(...dots.map(({ timeMs }) => timeMs))] },
    y: { label: null, domain: series.map(({ what }) => what) },
    marks: [
      Plot.gridX({ strokeOpacity: 0.15 }),
      Plot.barX(bars, { x: 'median', y: 'what', fill: BLUE, fillOpacity: 0.5, inset: 4 }),
      Plot.dot(dots, { x: 'timeMs', y: 'what', r: 3, fill: ORANGE }),
      Plot.text(bars, {
        ...{ x: 'median', y: 'what', text: ({ median }) => `${median} ms` },
        ...{ textAnchor: 'start', dx: 12, fontWeight: 'bold' },
      }),
    ],
  });
}
