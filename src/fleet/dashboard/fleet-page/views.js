import { age, bytes, criuVersion, duration, labels, moment } from './format.js';

const isOpen = ({ endedAt }) => endedAt === undefined;
const ended = ({ counts }) => (counts.done ?? 0) + (counts.failed ?? 0) + (counts.cancelled ?? 0);

/** What a host is, in a word: whether it answers comes before what it takes. */
export function hostState({ state, isAlive, isFenced }) {
  if (isFenced) return 'fenced';
  return isAlive ? state : 'lost';
}

/** The order of the states of steps and operations: what needs attention is above. */
const STATES = ['failed', 'delayed', 'active', 'waiting', 'cancelled', 'done'];
/** The order of steps: what moves is above. */
const MOVING = ['active', 'delayed', 'waiting', 'failed', 'cancelled', 'done'];

const n = { align: 'n', descends: true };
const badge = (state) => ({ text: state, look: (row) => `state ${state(row)}` });
const percent = (part, all) =>
  all > 0 ? `${Math.min(100, (100 * part) / all).toFixed(1)}%` : '0%';
const since = (at) => ({
  text: (row) => age(at(row)),
  value: (row) => -(at(row) ?? 0),
  isSearched: false,
});
const size = (of) => ({ ...n, text: (row) => bytes(of(row)), value: of, isSearched: false });
const count = (of) => ({
  ...n,
  text: (row) => (of(row) ? String(of(row)) : '·'),
  value: of,
  look: (row) => (of(row) ? '' : 'none'),
  isSearched: false,
});

/** The tables of the page: what they show of what is known, and how. */
export function viewsOf(store) {
  const usage = ({ name }) => store.usage.get(name) ?? { workloads: 0, incoming: 0, outgoing: 0 };
  const slots = (direction) => ({
    ...n,
    text: (row) => `${usage(row)[direction]} / ${row.limits[direction]}`,
    value: (row) => usage(row)[direction],
    look: (row) => (usage(row)[direction] === 0 ? 'none' : ''),
    isSearched: false,
  });
  const used = ({ memoryBytes, freeMemoryBytes }) => memoryBytes - freeMemoryBytes;

  const hosts = {
    id: 'hosts',
    title: 'Hosts',
    empty: 'No agent has joined the fleet yet.',
    least: '66rem',
    rows: () => store.hosts.values(),
    sort: { id: 'name', isDescending: false },
    more: ({ endpoint, kernel, architecture }) => [endpoint, kernel, architecture],
    columns: [
      { id: 'name', title: 'Host', width: 'minmax(8rem, 1.4fr)', text: ({ name }) => name },
      {
        ...{ id: 'state', title: 'State', width: '6.5rem' },
        ...badge(hostState),
      },
      {
        ...{ id: 'memory', title: 'Memory in use', width: 'minmax(11rem, 1.2fr)' },
        text: (row) => `${bytes(used(row))} of ${bytes(row.memoryBytes)}`,
        value: (row) => used(row) / row.memoryBytes,
        part: (row) => percent(used(row), row.memoryBytes),
        look: (row) => (used(row) / row.memoryBytes > 0.9 ? 'bar full' : 'bar'),
        descends: true,
        isSearched: false,
      },
      {
        id: 'free',
        title: 'Free',
        width: '5.5rem',
        ...size(({ freeMemoryBytes }) => freeMemoryBytes),
      },
      {
        ...{
          id: 'load',
          title: 'Load',
          width: '5.5rem',
          ...n,
          hint: 'Load average and processors',
        },
        text: ({ load, processors }) => `${load.toFixed(1)} / ${processors}`,
        value: ({ load, processors }) => load / processors,
        look: ({ load, processors }) => (load > processors ? 'warning' : ''),
        isSearched: false,
      },
      { id: 'workloads', title: 'Runs', width: '4rem', ...count((row) => usage(row).workloads) },
      {
        ...{ id: 'in', title: 'In', width: '4rem', hint: 'Moves to the host, of its limit' },
        ...slots('incoming'),
      },
      {
        ...{ id: 'out', title: 'Out', width: '4rem', hint: 'Moves from the host, of its limit' },
        ...slots('outgoing'),
      },
      {
        ...{ id: 'criu', title: 'CRIU', width: '4.5rem' },
        text: ({ criu }) => criuVersion(criu),
        value: ({ criu }) => criu,
      },
      {
        id: 'labels',
        title: 'Labels',
        width: 'minmax(7rem, 1.2fr)',
        text: (row) => labels(row.labels),
        look: () => 'dim',
      },
    ],
  };

  const workloads = {
    id: 'workloads',
    title: 'Workloads',
    empty: 'No workload runs in the fleet.',
    least: '66rem',
    rows: () => store.workloads.values(),
    sort: { id: 'name', isDescending: false },
    columns: [
      { id: 'name', title: 'Workload', width: 'minmax(9rem, 1.5fr)', text: ({ name }) => name },
      { id: 'host', title: 'Host', width: 'minmax(7rem, 1.1fr)', text: ({ host }) => host },
      { id: 'state', title: 'State', width: '6.5rem', ...badge(({ state }) => state) },
      { id: 'kind', title: 'Kind', width: '5.5rem', text: ({ kind }) => kind, look: () => 'dim' },
      { id: 'memory', title: 'Memory', width: '5.5rem', ...size(({ memoryBytes }) => memoryBytes) },
      {
        ...{ id: 'addresses', title: 'Addresses', width: 'minmax(8rem, 1fr)' },
        text: ({ addresses }) => addresses.join(' '),
      },
      {
        ...{ id: 'checkpoint', title: 'Checkpoint', width: '6rem', align: 'n' },
        text: ({ checkpoint }) => (checkpoint ? age(checkpoint.at) : 'none'),
        value: ({ checkpoint }) => -(checkpoint?.at ?? 0),
        look: ({ checkpoint }) => (checkpoint ? '' : 'none'),
        hint: 'Age of the last checkpoint',
        descends: true,
        isSearched: false,
      },
      {
        ...{
          id: 'since',
          title: 'There for',
          width: '5.5rem',
          align: 'n',
          hint: 'Since it came to its host',
        },
        ...since(({ since: at }) => at),
      },
      {
        id: 'labels',
        title: 'Labels',
        width: 'minmax(8rem, 1.2fr)',
        text: (row) => labels(row.labels),
        look: () => 'dim',
      },
    ],
  };

  const moves = {
    id: 'moves',
    title: 'Moves',
    empty: 'Nothing is being moved.',
    least: '72rem',
    rows: () => store.steps.values(),
    badge: () => [...store.steps.values()].filter(isOpen).length,
    sort: { id: 'state', isDescending: false },
    columns: [
      {
        id: 'workload',
        title: 'Workload',
        width: 'minmax(8rem, 1.3fr)',
        text: ({ workload }) => workload,
      },
      {
        id: 'from',
        title: 'From',
        width: 'minmax(6rem, 1fr)',
        text: ({ from }) => from ?? 'start',
        look: ({ from }) => (from ? '' : 'dim'),
      },
      { id: 'to', title: 'To', width: 'minmax(6rem, 1fr)', text: ({ to }) => to },
      {
        ...{ id: 'state', title: 'State', width: '6rem', ...badge(({ state }) => state) },
        value: ({ state, startedAt, index }) =>
          MOVING.indexOf(state) * 1e15 + (startedAt ?? 0) + index,
      },
      { id: 'phase', title: 'Phase', width: '6.5rem', text: ({ phase }) => phase ?? '' },
      {
        ...{ id: 'bytes', title: 'Sent of memory', width: 'minmax(11rem, 1.2fr)' },
        text: (row) => `${bytes(row.bytes)} of ${bytes(row.memoryBytes)}`,
        value: (row) => row.bytes,
        part: (row) => percent(row.bytes, row.memoryBytes),
        look: ({ state }) => (state === 'done' ? 'bar done' : 'bar'),
        descends: true,
        isSearched: false,
      },
      {
        ...{ id: 'rate', title: 'Per second', width: '6rem', ...n },
        text: (row) => bytes(store.rate(row)),
        value: (row) => store.rate(row) ?? -1,
        isSearched: false,
      },
      {
        ...{ id: 'took', title: 'Takes', width: '4.5rem', ...n },
        text: ({ startedAt, endedAt }) =>
          endedAt === undefined ? age(startedAt) : duration(endedAt - startedAt),
        value: ({ startedAt }) => startedAt ?? 0,
        isSearched: false,
      },
      {
        ...{ id: 'downtime', title: 'Downtime', width: '5.5rem', ...n },
        text: ({ downtimeMs }) => duration(downtimeMs),
        value: ({ downtimeMs }) => downtimeMs ?? -1,
        isSearched: false,
      },
      { id: 'attempts', title: 'Tries', width: '3.5rem', ...count(({ attempts }) => attempts) },
      {
        id: 'message',
        title: 'Why',
        width: 'minmax(7rem, 1.2fr)',
        text: ({ message }) => message ?? '',
        look: () => 'dim',
      },
    ],
  };

  const operation = [
    { id: 'kind', title: 'What', width: '6rem', text: ({ kind }) => kind },
    { id: 'target', title: 'Of', width: 'minmax(8rem, 1.3fr)', text: ({ target }) => target },
    {
      ...{ id: 'state', title: 'State', width: '6rem', ...badge(({ state }) => state) },
      value: ({ state }) => STATES.indexOf(state),
    },
  ];
  const progress = {
    ...{ id: 'steps', title: 'Ended', width: 'minmax(9rem, 1.2fr)' },
    text: (row) => `${ended(row)} of ${row.count}`,
    value: (row) => ended(row) / row.count,
    part: (row) => percent(ended(row), row.count),
    look: ({ state }) => (state === 'done' ? 'bar done' : 'bar'),
    descends: true,
    isSearched: false,
  };
  const failed = {
    ...{ id: 'failed', title: 'Failed', width: '4.5rem', ...count(({ counts }) => counts.failed) },
    look: ({ counts }) => (counts.failed ? 'error' : 'none'),
  };
  const unplaced = {
    ...{
      id: 'unplaced',
      title: 'Unplaced',
      width: '5.5rem',
      hint: 'Workloads for which the plan has no host',
    },
    ...count((row) => row.unplaced.length),
    look: (row) => (row.unplaced.length > 0 ? 'warning' : 'none'),
  };
  const sent = { id: 'bytes', title: 'Sent', width: '5.5rem', ...size((row) => row.bytes) };
  const operator = {
    id: 'operator',
    title: 'Operator',
    width: 'minmax(6rem, 1fr)',
    text: (row) => row.operator,
  };

  const plans = {
    id: 'plans',
    title: 'Plans',
    empty: 'No operation is under way.',
    least: '60rem',
    rows: () => [...store.operations.values()].filter(isOpen),
    badge: () => [...store.operations.values()].filter(isOpen).length,
    sort: { id: 'ordered', isDescending: false },
    more: (row) => row.unplaced,
    columns: [
      ...operation,
      progress,
      {
        id: 'active',
        title: 'Under way',
        width: '5.5rem',
        ...count(({ counts }) => counts.active),
      },
      {
        id: 'waiting',
        title: 'Waiting',
        width: '5rem',
        ...count(({ counts }) => (counts.waiting ?? 0) + (counts.delayed ?? 0)),
      },
      failed,
      unplaced,
      sent,
      operator,
      {
        id: 'ordered',
        title: 'Ordered',
        width: '5.5rem',
        align: 'n',
        hint: 'Time since it was ordered',
        ...since(({ orderedAt }) => orderedAt),
      },
    ],
  };

  const history = {
    id: 'history',
    title: 'History',
    empty: 'No operation has ended yet.',
    least: '60rem',
    rows: () => [...store.operations.values()].filter((row) => !isOpen(row)),
    sort: { id: 'ended', isDescending: true },
    more: (row) => row.unplaced,
    columns: [
      ...operation,
      progress,
      failed,
      unplaced,
      sent,
      {
        ...{ id: 'downtime', title: 'Longest downtime', width: '8.5rem', ...n },
        text: ({ longestDowntimeMs }) => duration(longestDowntimeMs),
        value: ({ longestDowntimeMs }) => longestDowntimeMs ?? -1,
        isSearched: false,
      },
      {
        ...{ id: 'took', title: 'Took', width: '5rem', ...n },
        text: ({ orderedAt, endedAt }) => duration(endedAt - orderedAt),
        value: ({ orderedAt, endedAt }) => endedAt - orderedAt,
        isSearched: false,
      },
      operator,
      {
        ...{ id: 'ended', title: 'Ended at', width: '10.5rem', ...n },
        text: ({ endedAt }) => moment(endedAt),
        value: ({ endedAt }) => endedAt,
      },
    ],
  };

  return [hosts, workloads, moves, plans, history];
}
