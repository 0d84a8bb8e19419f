import { element } from './elements.js';
import { bytes } from './format.js';
import { link, list, note } from './parts.js';

/** A plan that was made for what is shown. Nothing of it is done. */
export function plan({ text, moves = [], unplaced = [], notes = [], levels = [] }) {
  const item = (one) => [
    link('workload', one.workload, one.workload),
    one.to === undefined ? undefined : note(`${one.from} → ${one.to}, ${bytes(one.memoryBytes)}`),
    ...why(one),
  ];
  return element(
    'div.planned',
    { attributes: { role: 'status' } },
    element('p', {}, text ?? 'What would be done; nothing is.'),
    notes.map((each) => element('p', {}, each)),
    list('Memory in use', levels, ({ host, before, after }) => [
      link('host', host, host),
      note(`${percent(before)} → ${percent(after)}`),
    ]),
    list('Would move', moves, item),
    list('Would stay', unplaced, item),
  );
}

/** The parts of their memory that the hosts of a plan have in use before and after it, the fullest first. */
export function levelsOf({ moves = [] }, hosts) {
  const changes = new Map();
  const add = (host, size) => changes.set(host, (changes.get(host) ?? 0) + size);
  for (const { from, to, memoryBytes } of moves) {
    add(from, -memoryBytes);
    add(to, memoryBytes);
  }
  return [...changes]
    .filter(([host]) => hosts.has(host))
    .map(([host, change]) => {
      const { memoryBytes, freeMemoryBytes } = hosts.get(host);
      const used = memoryBytes - freeMemoryBytes;
      return { host, before: used / memoryBytes, after: (used + change) / memoryBytes };
    })
    .sort((a, b) => b.before - a.before);
}

/** Why a plan has a host for a workload, or none, and why other hosts are not possible. */
export function why(planned) {
  if (!planned) return [];
  const { reason, objections } = planned;
  return [reason, ...objections.map(objection)].map(note);
}

/** Why hosts are not possible: `not host-c: its CRIU is older`. */
function objection({ objection: text, hosts, count }) {
  const names =
    hosts.join(', ') + (count > hosts.length ? ` and ${count - hosts.length} more` : '');
  return `not ${names}: ${text}`;
}

function percent(part) {
  return `${Math.round(100 * part)} %`;
}
