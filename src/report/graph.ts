import type { DescribedProcess } from '../images.ts';
import { clipped, type Html, html } from './html.ts';
import { inTreeOrder } from './process-order.ts';
import { coordinate } from './quantities.ts';
import type { Resource } from './resources.ts';

/** The most of each side. */
const MAX_PROCESSES = 40;
const MAX_RESOURCES = 60;
const WIDTH = 1000;
const ROW = 24;
/** The right edge of the processes, and the left edge of the resources. */
const LEFT = 300;
const RIGHT = 470;
/** The most characters of the name of a process, and of a title. */
const MAX_NAME = 100;
const MAX_TITLE = 300;
/** Width of a character. */
const CHARACTER = 7;

/** What is in the picture, and how much is not. */
export interface Graph {
  readonly picture: Html;
  readonly resourcesLeft: number;
  readonly processesLeft: number;
}

/** Processes on the left, what they have open on the right, and a line for each pair. */
export function connectionGraph(
  processes: readonly DescribedProcess[],
  resources: readonly Resource[],
): Graph {
  const important = resources.slice(0, MAX_RESOURCES);
  const using = new Set(important.flatMap(({ users }) => users.map(({ pid }) => pid)));
  const all = inTreeOrder(processes).filter(({ process }) => using.has(process.pid));
  const left = all.slice(0, MAX_PROCESSES).map(({ process }) => process);
  const rowOf = new Map(left.map(({ pid }, row) => [pid, row]));
  const right = important
    .map((resource) => ({ resource, rows: rowsOf(resource, rowOf) }))
    .filter(({ rows }) => rows.length > 0)
    .sort((one, other) => mean(one.rows) - mean(other.rows));
  const height = Math.max(left.length, right.length) * ROW + 4;
  const shift = (count: number) => (height - count * ROW) / 2;
  const leftY = (row: number) => shift(left.length) + row * ROW;
  const rightY = (row: number) => shift(right.length) + row * ROW;
  const lines = right.flatMap(({ resource, rows }, at) =>
    rows.map((row) => line(leftY(row) + ROW / 2, rightY(at) + ROW / 2, resource.kind, row, at)),
  );
  const picture = html`<svg class="graph" viewBox="0 0 ${WIDTH} ${height}" role="group"
 aria-label="Processes, and what they have open">${lines}${left.map((process, row) => processNode(process, leftY(row), row))}${right.map(({ resource }, at) => resourceNode(resource, rightY(at), at))}</svg>`;
  return {
    picture,
    resourcesLeft: resources.length - right.length,
    processesLeft: all.length - left.length,
  };
}

function rowsOf({ users }: Resource, rowOf: ReadonlyMap<number, number>): number[] {
  const rows = users.flatMap(({ pid }) => rowOf.get(pid) ?? []);
  return [...new Set(rows)];
}

const mean = (rows: readonly number[]) => rows.reduce((sum, row) => sum + row, 0) / rows.length;

function line(from: number, to: number, kind: string, row: number, at: number): Html {
  const middle = (LEFT + RIGHT) / 2;
  return html`<path class="e-${kind}" data-p="${row}" data-r="${at}" d="M${LEFT} ${coordinate(from)}C${middle} ${coordinate(from)} ${middle} ${coordinate(to)} ${RIGHT} ${coordinate(to)}"/>
`;
}

function processNode({ pid, name }: DescribedProcess, y: number, row: number): Html {
  const text = `${pid} ${clipped(name, MAX_NAME)}`;
  return html`<g class="node" tabindex="-1" role="img" aria-label="process ${text}" data-p="${row}"><title>${text}</title><rect x="0" y="${coordinate(y + 2)}" width="${LEFT}" height="${ROW - 4}" rx="4"/><text x="8" y="${coordinate(y + 16)}">${clipped(text, Math.floor((LEFT - 16) / CHARACTER))}</text></g>
`;
}

function resourceNode({ kind, text, users }: Resource, y: number, at: number): Html {
  const names = users.slice(0, 8).map(({ pid, fd }) => `${pid}:${fd}`);
  const title = `${clipped(text, MAX_TITLE)} (${names.join(' ')}${users.length > 8 ? ' …' : ''})`;
  return html`<g class="node n-${kind}" tabindex="-1" role="img" aria-label="${title}" data-r="${at}"><title>${title}</title><rect x="${RIGHT}" y="${coordinate(y + 2)}" width="${WIDTH - RIGHT}" height="${ROW - 4}" rx="4"/><text x="${RIGHT + 10}" y="${coordinate(y + 16)}">${clipped(text, Math.floor((WIDTH - RIGHT - 20) / CHARACTER))}</text></g>
`;
}
