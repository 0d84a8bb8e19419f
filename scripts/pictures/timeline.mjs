// Draws a migration as its client saw it: how long it waited for each answer, and the phases below.
import * as Plot from '@observablehq/plot';
import { BLUE, ORANGE, toSvg } from './svg.mjs';

/**
 * An SVG with the time between two answers above the phases.
 * @param {{ mode: string, gaps: readonly { endMs: number, gapMs: number }[],
 *   phases: readonly { phase: string, startMs: number, endMs: number }[] }} migration
 */
export function timelineChart({ mode, gaps, phases }) {
  const end = Math.max(...phases.map(({ endMs }) => endMs));
  const domain = [-0.15 * end, 1.25 * end];
  const shown = gaps
    .map(({ endMs, gapMs }) => ({ from: Math.max(domain[0], endMs - gapMs), to: endMs, gapMs }))
    .filter(({ from, to }) => to > domain[0] && to < domain[1] && to > from);
  const longest = shown.reduce((a, b) => (a.gapMs > b.gapMs ? a : b));
  const height = (gap) => gap / longest.gapMs;
  return toSvg(`A ${mode} migration: what its client waited for, and its phases`, {
    width: 760,
    height: 200 + 22 * phases.length,
    marginLeft: 96,
    marginRight: 24,
    marginTop: 16,
    marginBottom: 44,
    x: {
      domain,
      label: 'time since the start of the migration, ms',
      labelAnchor: 'center',
      nice: false,
    },
    y: { axis: null, domain: [0, ROWS + phases.length + 0.4], reverse: true },
    marks: [
      Plot.gridX({ strokeOpacity: 0.15 }),
      Plot.rectY(shown, {
        ...{
          x1: 'from',
          x2: 'to',
          y1: ROWS - 0.4,
          y2: ({ gapMs }) => (ROWS - 0.4) * (1 - height(gapMs)) + 0.7 * height(gapMs),
        },
        ...{ fill: BLUE, fillOpacity: 0.35, stroke: BLUE, strokeWidth: 0.5 },
      }),
      Plot.text([longest], {
        x: ({ from, to }) => (from + to) / 2,
        y: 0.1,
        text: ({ gapMs }) => `longest wait ${Math.round(gapMs)} ms`,
        fontWeight: 'bold',
      }),
      Plot.text([{}], {
        x: domain[0],
        y: ROWS / 2,
        text: () => 'client waits',
        textAnchor: 'end',
        dx: -8,
      }),
      Plot.rect(phases, {
        ...{ x1: 'startMs', x2: ({ startMs, endMs }) => Math.max(endMs, startMs + end / 400) },
        ...{
          y1: (_, index) => ROWS + index + 0.15,
          y2: (_, index) => ROWS + index + 0.85,
          fill: ORANGE,
        },
      }),
      Plot.text(phases, {
        ...{ x: domain[0], y: (_, index) => ROWS + index + 0.5, text: 'phase' },
        ...{ textAnchor: 'end', dx: -8 },
      }),
      Plot.text(phases, {
        ...{ x: ({ startMs, endMs }) => Math.max(endMs, startMs + end / 400) },
        ...{ y: (_, index) => ROWS + index + 0.5, textAnchor: 'start', dx: 6 },
        text: ({ startMs, endMs }) => (endMs > startMs ? `${Math.round(endMs - startMs)} ms` : ''),
      }),
    ],
  });
}

/** The height of the upper part, in rows of the lower one. */
const ROWS = 6;
