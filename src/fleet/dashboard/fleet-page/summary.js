import { element, visible } from './elements.js';
import { bytes, duration, number } from './format.js';
import { hostState } from './views.js';

/** More hosts than this have no squares. */
const MAX_SQUARES = 2500;

/** What is known, in a few numbers. */
export function summary(store) {
  const hosts = [...store.hosts.values()];
  const workloads = [...store.workloads.values()];
  const steps = [...store.steps.values()];
  const hostStates = tally(hosts, hostState);
  const workloadStates = tally(workloads, ({ state }) => state);
  const stepStates = tally(steps, ({ state }) => state);
  const memory = hosts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const free = hosts.reduce((sum, { freeMemoryBytes }) => sum + freeMemoryBytes, 0);
  const rates = steps.map((step) => store.rate(step) ?? 0);
  const downtimes = [...store.operations.values()].flatMap((row) => row.longestDowntimeMs ?? []);
  return [
    card('Hosts', number(hosts.length), rest(hostStates, 'ready'), {
      attention: (hostStates.lost ?? 0) > 0 && 'error',
    }),
    card('Workloads', number(workloads.length), rest(workloadStates, 'running'), {
      attention: (workloadStates.unresolved ?? 0) > 0 && 'warning',
    }),
    card('Memory in use', bytes(memory - free), `of ${bytes(memory)}`, {
      part: memory > 0 ? `${((100 * (memory - free)) / memory).toFixed(1)}%` : '0%',
    }),
    card(
      'Moves under way',
      String(stepStates.active ?? 0),
      steps.some(({ endedAt }) => endedAt === undefined)
        ? `${(stepStates.waiting ?? 0) + (stepStates.delayed ?? 0)} wait · ${bytes(rates.reduce((a, b) => a + b, 0))}/s`
        : 'nothing waits',
      { attention: (stepStates.delayed ?? 0) > 0 && 'warning' },
    ),
    card(
      'Longest downtime',
      downtimes.length > 0 ? duration(downtimes.reduce((a, b) => Math.max(a, b))) : '–',
      downtimes.length > 0 ? `of ${number(downtimes.length)} operations` : 'nothing was moved yet',
    ),
    squares.update(hosts),
  ];
}

function card(title, value, note, { part, attention } = {}) {
  const kind = attention ? `div.card.${attention}` : 'div.card';
  const bar = part === undefined ? undefined : element('div.gauge', { part });
  return element(
    kind,
    {},
    element('h2', {}, title),
    element('b', {}, value),
    element('span', {}, note),
    bar,
  );
}

/** A square for each host: the fuller its memory, the darker. Only those that have changed are made anew. */
const squares = {
  known: new Map(),
  list: element('div.squares', { attributes: { 'aria-hidden': 'true' } }),
  card: undefined,

  update(hosts) {
    if (hosts.length === 0 || hosts.length > MAX_SQUARES) return undefined;
    const size = hosts.length <= 48 ? 'large' : hosts.length <= 240 ? 'middle' : 'small';
    this.list.className = `squares ${size}`;
    this.card ??= element(
      'div.card.map',
      {},
      element('h2', {}, 'Memory and state of each host'),
      this.list,
    );
    const drawn = hosts
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((host) => [host.key, this.square(host)]);
    const isSame =
      drawn.length === this.known.size &&
      drawn.every(([key, { node }]) => this.known.get(key)?.node === node);
    this.known = new Map(drawn);
    if (!isSame) this.list.replaceChildren(...drawn.map(([, { node }]) => node));
    return this.card;
  },

  square(host) {
    const { key, name, memoryBytes, freeMemoryBytes } = host;
    const part = `${Math.round(100 * (1 - freeMemoryBytes / memoryBytes)) || 0}%`;
    const state = hostState(host);
    const look = `${state} ${part}`;
    const before = this.known.get(key);
    if (before?.look === look) return before;
    const title = `${visible(name)}: ${state}, ${part} of its memory in use`;
    const node = before?.node ?? element('i', { dataset: { kind: 'host', key } });
    node.title = title;
    node.dataset.state = state;
    node.style.setProperty('--part', part);
    return { look, node };
  },
};

function tally(all, key) {
  const counts = {};
  for (const one of all) counts[key(one)] = (counts[key(one)] ?? 0) + 1;
  return counts;
}

/** The states but the usual one; if there are none, that all are in it. */
function rest(counts, usual) {
  const others = Object.entries(counts).filter(([state]) => state !== usual);
  if (others.length === 0) return counts[usual] ? `all ${usual}` : '';
  return others.map(([state, count]) => `${number(count)} ${state}`).join(' · ');
}
