// Draws the drain of many hosts of a simulated fleet: what is left to move, and what is under way, over time.
import * as Plot from '@observablehq/plot';
import { BLUE, ORANGE, toSvg } from './svg.mjs';

/**
 * An SVG of a drain.
 * @param {{ hosts: number, workloads: number, drained: number, moves: number, limit: number,
 *   samples: readonly { seconds: number, left: number, active: number }[] }} drain
 */
export function drainChart({ hosts, workloads, drained, moves, limit, samples }) {
  const left = `moves that are left, of ${moves}`;
  const active = `moves under way, of at most ${limit}`;
  const lines = samples.flatMap(({ seconds, left: open, active: running }) => [
    { minutes: seconds / 60, what: left, percent: (100 * open) / moves },
    { minutes: seconds / 60, what: active, percent: (100 * running) / limit },
  ]);
  const lastMinute = Math.max(...lines.map(({ minutes }) => minutes));
  const fleet = `${hosts} hosts with ${workloads} workloads`;
  return toSvg(`The drain of ${drained} hosts in a simulated fleet of ${fleet}`, {
    width: 760,
    height: 280,
    marginLeft: 56,
    marginRight: 24,
    marginTop: 40,
    marginBottom: 44,
    x: { label: 'minutes of simulated time', labelAnchor: 'center', domain: [0, lastMinute] },
    y: { label: '%', domain: [0, 100] },
    color: { domain: [left, active], range: [BLUE, ORANGE] },
    marks: [
      Plot.gridY({ strokeOpacity: 0.15 }),
      Plot.areaY(
        lines.filter(({ what }) => what === left),
        { x: 'minutes', y: 'percent', fill: BLUE, fillOpacity: 0.15 },
      ),
      Plot.lineY(lines, { x: 'minutes', y: 'percent', stroke: 'what', strokeWidth: 1.5 }),
      ...[left, active].map((what, at) =>
        Plot.text([what], {
          ...{ frameAnchor: 'top-left', dx: 40 + at * 240, dy: -24 },
          ...{ text: (text) => text, fill: [BLUE, ORANGE][at], fontWeight: 'bold' },
        }),
      ),
    ],
  });
}
