import type { FleetOperationState, FleetOperationView, FleetStep } from '../operation-view.ts';
import type { FleetHost, FleetView, FleetWorkload } from '../view.ts';

/** Steps of an operation that has ended are sent for this long, so that one sees how they have ended. */
const RECENT_MS = 60_000;
/** Operations that have ended and that are sent, the last ones. */
const MAX_ENDED = 500;

/** The names of the tables that the page keeps. */
export const TABLES = ['hosts', 'workloads', 'operations', 'steps'] as const;

/** Rows of a table by their keys, each as JSON. */
export type Rows = ReadonlyMap<string, string>;

/** The rows of all tables. */
export type Tables = Readonly<Record<(typeof TABLES)[number], Rows>>;

/** What the page is sent. Sizes that change all the time are rounded, so that rows change less often. */
export function tablesOf(
  { hosts, workloads }: FleetView,
  operations: readonly FleetOperationView[],
  now = Date.now(),
): Tables {
  const open = operations.filter(({ endedAt }) => endedAt === undefined);
  const ended = operations
    .filter(({ endedAt }) => endedAt !== undefined)
    .sort((a, b) => (b.endedAt as number) - (a.endedAt as number))
    .slice(0, MAX_ENDED);
  const recent = ended.filter(({ endedAt }) => (endedAt as number) > now - RECENT_MS);
  return {
    hosts: rows(hosts, ({ name }) => name, hostRow),
    workloads: rows(workloads, ({ name }) => name, workloadRow),
    operations: rows([...open, ...ended], ({ id }) => id, operationRow),
    steps: rows(
      [...open, ...recent].flatMap(stepRows),
      ({ key }) => key,
      (row) => row,
    ),
  };
}

/** The steps of an operation, as the page takes them. */
export function stepRows({ id, steps }: FleetOperationView) {
  return steps.map((step, index) => ({ key: `${id}/${step.id}`, operation: id, index, ...step }));
}

function rows<T>(all: readonly T[], key: (one: T) => string, row: (one: T) => object): Rows {
  return new Map(all.map((one) => [key(one), JSON.stringify({ key: key(one), ...row(one) })]));
}

function hostRow({ facts, limits, ...host }: FleetHost) {
  const { name, state, isAlive, isFenced, endpoint, labels, allowAddresses, seenAt } = host;
  const { criu, kernel, architecture, memTrack, lazyPages, load, processors } = facts;
  return {
    ...{ name, state, isAlive, isFenced, labels, allowAddresses, limits },
    ...{ criu, kernel, architecture, memTrack, lazyPages, processors },
    endpoint: `${endpoint.host}:${endpoint.port}`,
    load: Math.round(load * 10) / 10,
    memoryBytes: facts.memoryBytes,
    freeMemoryBytes: rounded(facts.freeMemoryBytes),
    freeDiskBytes: rounded(facts.freeDiskBytes),
    ...(!isAlive && { seenAt }),
  };
}

function workloadRow(workload: FleetWorkload) {
  return { ...workload, memoryBytes: rounded(workload.memoryBytes) };
}

function operationRow({ steps, ...operation }: FleetOperationView) {
  const counts: Partial<Record<FleetOperationState, number>> = {};
  for (const { state } of steps) counts[state] = (counts[state] ?? 0) + 1;
  const downtimes = steps.flatMap(({ downtimeMs }) => downtimeMs ?? []);
  const total = (of: (step: FleetStep) => number) => steps.reduce((sum, step) => sum + of(step), 0);
  return {
    ...operation,
    ...{ count: steps.length, counts },
    bytes: total(({ bytes }) => bytes),
    memoryBytes: total(({ memoryBytes }) => memoryBytes),
    ...(downtimes.length > 0 && { longestDowntimeMs: downtimes.reduce((a, b) => Math.max(a, b)) }),
  };
}

/** A size with half a percent less precision. */
function rounded(bytes: number): number {
  if (!(bytes > 512)) return bytes;
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 8);
  return Math.round(bytes / step) * step;
}
