import {
  exposition,
  type Metric,
  type MetricValue,
  type Sample,
} from '../../migration/destination/monitoring/exposition.ts';
import type { FleetOperationView, FleetStep } from '../operation-view.ts';
import type { FleetHost, FleetView, FleetWorkload } from '../view.ts';
import { MoveTotals } from './move-totals.ts';

const HOST_STATES = ['ready', 'cordoned', 'draining', 'drained'] as const;
const WORKLOAD_STATES = ['running', 'moving', 'unresolved', 'ended'] as const;
const OPEN_STATES = ['waiting', 'active', 'delayed'] as const;
const OPERATION_KINDS = ['move', 'drain', 'rebalance', 'run', 'restart'] as const;

/**
 * The metrics of a fleet in the text format of Prometheus (`text/plain; version=0.0.4`). Times are in seconds, sizes in
 * bytes. Each metric with the label `host` has a value for each host; no metric has one for each workload.
 * @param view what is known of the fleet
 * @param operations all operations that the fleet has
 * @param totals counts the moves that have ended. Keep one for as long as the metrics are served; without it,
 *   counters decrease when the fleet forgets old operations.
 */
export function fleetMetrics(
  view: FleetView,
  operations: readonly FleetOperationView[],
  totals: MoveTotals = new MoveTotals(),
): string {
  totals.observe(operations);
  return exposition([
    ...hostMetrics(view, operations),
    ...workloadMetrics(view),
    ...moveMetrics(operations, totals),
  ]);
}

function hostMetrics(
  { hosts, workloads }: FleetView,
  operations: readonly FleetOperationView[],
): Metric[] {
  const active = stepsOf(operations).filter(({ state }) => state === 'active');
  const placed = countBy(workloads, ({ host, state }) => (state === 'ended' ? undefined : host));
  const moves = (direction: 'in' | 'out') => {
    const counts = countBy(active, ({ from, to }) => (direction === 'in' ? to : from));
    return hosts.map(({ name }): Sample => {
      return { labels: { host: name, direction }, value: counts.get(name) ?? 0 };
    });
  };
  const each = (value: (host: FleetHost) => number) =>
    hosts.map((host): Sample => ({ labels: { host: host.name }, value: value(host) }));
  return [
    gauge('fleet_hosts', 'Hosts by what they take.', states(hosts, HOST_STATES)),
    gauge(
      'fleet_hosts_alive',
      'Hosts whose agent has been heard of lately.',
      hosts.filter(({ isAlive }) => isAlive).length,
    ),
    gauge(
      'fleet_hosts_fenced',
      'Hosts that an operator or a hook has fenced.',
      hosts.filter(({ isFenced }) => isFenced).length,
    ),
    gauge(
      'fleet_host_alive',
      '1 if the agent of the host has been heard of lately.',
      each(({ isAlive }) => (isAlive ? 1 : 0)),
    ),
    gauge(
      'fleet_host_seen_timestamp_seconds',
      'When the agent of the host was last heard of, in seconds since 1970.',
      each(({ seenAt }) => seenAt / 1000),
    ),
    gauge(
      'fleet_host_memory_bytes',
      'Memory of the host.',
      each(({ facts }) => facts.memoryBytes),
    ),
    gauge(
      'fleet_host_free_memory_bytes',
      'Memory of the host that can be used without swapping.',
      each(({ facts }) => facts.freeMemoryBytes),
    ),
    gauge(
      'fleet_host_free_disk_bytes',
      'Free space in the directory of the agent.',
      each(({ facts }) => facts.freeDiskBytes),
    ),
    gauge(
      'fleet_host_load1',
      'Load average of the last minute.',
      each(({ facts }) => facts.load),
    ),
    gauge(
      'fleet_host_workloads',
      'Workloads on the host that have not ended.',
      each(({ name }) => placed.get(name) ?? 0),
    ),
    gauge('fleet_host_moves', 'Moves to the host and from it that are under way.', [
      ...moves('in'),
      ...moves('out'),
    ]),
    gauge(
      'fleet_host_moves_limit',
      'How many moves to the host and from it may be under way at once.',
      hosts.flatMap(({ name, limits }): Sample[] => [
        { labels: { host: name, direction: 'in' }, value: limits.incoming },
        { labels: { host: name, direction: 'out' }, value: limits.outgoing },
      ]),
    ),
  ];
}

function workloadMetrics({ workloads }: FleetView): Metric[] {
  const present = workloads.filter(({ state }) => state !== 'ended');
  return [
    gauge('fleet_workloads', 'Workloads by what they do.', states(workloads, WORKLOAD_STATES)),
    gauge(
      'fleet_workloads_memory_bytes',
      'Memory of all workloads that have not ended.',
      present.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    ),
    gauge(
      'fleet_workloads_with_checkpoint',
      'Workloads that have not ended and have a checkpoint.',
      present.filter(({ checkpoint }) => checkpoint).length,
    ),
    gauge(
      'fleet_oldest_checkpoint_timestamp_seconds',
      'When the oldest of the last checkpoints of the workloads on a host was begun, in seconds since 1970; its age is time() minus this.',
      oldestCheckpoints(present),
    ),
  ];
}

function oldestCheckpoints(workloads: readonly FleetWorkload[]): Sample[] {
  const oldest = new Map<string, number>();
  for (const { host, checkpoint } of workloads) {
    if (!checkpoint) continue;
    oldest.set(host, Math.min(checkpoint.at, oldest.get(host) ?? Infinity));
  }
  return [...oldest].map(([host, at]) => ({ labels: { host }, value: at / 1000 }));
}

function moveMetrics(operations: readonly FleetOperationView[], totals: MoveTotals): Metric[] {
  const steps = stepsOf(operations);
  const open = operations.filter(({ endedAt }) => endedAt === undefined);
  const kinds = countBy(open, ({ kind }) => kind);
  return [
    gauge('fleet_operations', 'Operations that have not ended, by what they do.', {
      label: 'kind',
      of: Object.fromEntries(OPERATION_KINDS.map((kind) => [kind, kinds.get(kind) ?? 0])),
    }),
    gauge(
      'fleet_moves',
      'Moves and starts that have not ended, by state.',
      states(steps, OPEN_STATES),
    ),
    gauge(
      'fleet_moves_sent_bytes',
      'Bytes that the moves that have not ended have sent so far.',
      steps.reduce((sum, { bytes, endedAt }) => sum + (endedAt === undefined ? bytes : 0), 0),
    ),
    {
      ...{ name: 'fleet_moves_ended_total', type: 'counter' },
      help: 'Moves and starts that have ended, by how.',
      value: { label: 'state', of: totals.ended },
    },
    {
      ...{ name: 'fleet_moved_bytes_total', type: 'counter', value: totals.bytes },
      help: 'Bytes that moves that have ended have sent.',
    },
    {
      ...{ name: 'fleet_downtime_seconds', type: 'histogram', value: totals.downtimes },
      help: 'How long no copy of a workload ran while it was moved.',
    },
  ];
}

function gauge(name: string, help: string, value: MetricValue): Metric {
  return { name, type: 'gauge', help, value };
}

function states<State extends string>(
  all: readonly { readonly state: string }[],
  of: readonly State[],
) {
  const counts = countBy(all, ({ state }) => state);
  return {
    label: 'state',
    of: Object.fromEntries(of.map((state) => [state, counts.get(state) ?? 0])),
  };
}

function countBy<T>(
  all: readonly T[],
  key: (one: T) => string | undefined,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) {
    const name = key(one);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function stepsOf(operations: readonly FleetOperationView[]): readonly FleetStep[] {
  return operations.flatMap(({ steps }) => steps);
}
