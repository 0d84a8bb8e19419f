import type { Redis } from 'ioredis';
import { areLabels, isName, isWorkloadKind } from '../names.ts';
import type {
  FleetHost,
  FleetView,
  FleetWorkload,
  HostFacts,
  HostLimits,
  HostState,
  Placement,
} from '../view.ts';
import { lastCheckpoints } from './checkpoint-records.ts';
import type { FleetKeys } from './keys.ts';

/** What an agent says of its host: all but what readers find out. */
export type HostRecord = Omit<FleetHost, 'isAlive' | 'isFenced'>;

/** What an agent says of a workload. */
export type WorkloadRecord = Omit<FleetWorkload, 'host' | 'checkpoint'>;

const STATES: readonly HostState[] = ['ready', 'cordoned', 'draining', 'drained'];

/** Reads all that is known of a fleet. Records that make no sense are left out: Redis is not trusted. */
export async function readView(redis: Redis, keys: FleetKeys): Promise<FleetView> {
  const [hosts, workloads, fenced, checkpoints] = await Promise.all([
    redis.hgetall(keys.hosts),
    redis.hgetall(keys.workloads),
    redis.hkeys(keys.fenced),
    redis.hgetall(keys.checkpoints),
  ]);
  const records = Object.entries(hosts).flatMap(([name, text]) => {
    const record = readHost(text);
    return record?.name === name ? [record] : [];
  });
  records.sort(byName);
  const leases = records.map(({ name }) => keys.leaseKey(name));
  const alive = leases.length > 0 ? await redis.mget(leases) : [];
  const areFenced = new Set(fenced);
  const areAlive = new Set(
    records.flatMap(({ name }, index) => (typeof alive[index] === 'string' ? [name] : [])),
  );
  const last = lastCheckpoints(checkpoints, areAlive);
  return {
    hosts: records.map((record) => ({
      ...record,
      isAlive: areAlive.has(record.name),
      isFenced: areFenced.has(record.name),
    })),
    workloads: Object.entries(workloads)
      .filter(([host]) => isName(host))
      .flatMap(([host, text]) =>
        readWorkloads(text).map((workload) => ({
          ...{ ...workload, host, checkpoint: last.get(workload.name) },
        })),
      )
      .sort(byName),
  };
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}

/** Reads what one host has said of its workloads. */
export async function readWorkloadsOf(
  redis: Redis,
  keys: FleetKeys,
  host: string,
): Promise<WorkloadRecord[]> {
  return readWorkloads((await redis.hget(keys.workloads, host)) ?? '[]');
}

/** Reads what a host has said of itself; undefined if it makes no sense. */
export function readHost(text: string): HostRecord | undefined {
  const host = parse(text) as Partial<HostRecord> | undefined;
  if (!isRecord(host) || !isName(host.name) || !areLabels(host.labels)) return undefined;
  const { name, state, labels, limits, facts, endpoint, allowAddresses, seenAt } = host;
  const { checkpointPort, takesContainers = false } = host;
  const isSensible =
    STATES.includes(state as HostState) &&
    isEndpoint(endpoint) &&
    isLimits(limits) &&
    isFacts(facts) &&
    isTexts(allowAddresses) &&
    (checkpointPort === undefined || isAmount(checkpointPort)) &&
    typeof takesContainers === 'boolean' &&
    isAmount(seenAt);
  if (!isSensible) return undefined;
  return {
    ...{ name, state, labels, limits, facts, endpoint, checkpointPort, takesContainers },
    ...{ allowAddresses, seenAt },
  } as HostRecord;
}

function readWorkloads(text: string): WorkloadRecord[] {
  const all = parse(text);
  return Array.isArray(all) ? all.filter(isWorkload) : [];
}

function isWorkload(value: unknown): value is WorkloadRecord {
  const given = value as Partial<WorkloadRecord>;
  return (
    isRecord(value) &&
    isName(given.name) &&
    isWorkloadKind(given.kind) &&
    ['running', 'moving', 'unresolved', 'ended'].includes(given.state as string) &&
    [given.pid, given.memoryBytes, given.generation, given.since].every(isAmount) &&
    areLabels(given.labels) &&
    isPlacement(given.placement) &&
    isTexts(given.addresses) &&
    typeof given.allowPostCopy === 'boolean' &&
    (given.movingTo === undefined || isName(given.movingTo))
  );
}

function isPlacement(value: unknown): value is Placement {
  return (
    isRecord(value) && Object.values(value).every((one) => one === undefined || areLabels(one))
  );
}

function isEndpoint(value: unknown): boolean {
  return isRecord(value) && isShortText(value.host) && isAmount(value.port);
}

function isLimits(value: unknown): value is HostLimits {
  if (!isRecord(value)) return false;
  const { incoming, outgoing, bandwidth } = value;
  return (
    isAmount(incoming) && isAmount(outgoing) && (bandwidth === undefined || isAmount(bandwidth))
  );
}

function isFacts(value: unknown): value is HostFacts {
  if (!isRecord(value)) return false;
  const { criu, memoryBytes, freeMemoryBytes, freeDiskBytes, load, processors } = value;
  const { kernel, architecture, cpu, memTrack, lazyPages } = value;
  return (
    [criu, memoryBytes, freeMemoryBytes, freeDiskBytes, load, processors].every(isAmount) &&
    [kernel, architecture].every(isShortText) &&
    typeof cpu === 'string' &&
    [memTrack, lazyPages].every((flag) => typeof flag === 'boolean')
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isShortText);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
