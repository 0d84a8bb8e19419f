import type {
  FleetHost,
  FleetOperationView,
  FleetStep,
  FleetView,
  FleetWorkload,
  UnplacedWorkload,
} from '../../src/fleet.ts';

const GIB = 2 ** 30;

/** When everything in the samples has happened, in milliseconds since 1970. */
export const SAMPLE_TIME = Date.UTC(2026, 0, 31, 12);

/** A host. */
export function sampleHost(name: string, differs: Partial<FleetHost> = {}): FleetHost {
  return {
    name,
    state: 'ready',
    isAlive: true,
    isFenced: false,
    endpoint: { host: `${name}.example`, port: 7000 },
    labels: { zone: 'a' },
    limits: { incoming: 2, outgoing: 2, bandwidth: undefined },
    allowAddresses: ['10.0.0.0/16'],
    facts: {
      criu: 40201,
      kernel: '6.12.9',
      architecture: 'x64',
      cpu: 'avx avx2 sse',
      memTrack: true,
      lazyPages: true,
      memoryBytes: 64 * GIB,
      freeMemoryBytes: 40 * GIB,
      freeDiskBytes: 500 * GIB,
      load: 1.25,
      processors: 16,
    },
    seenAt: SAMPLE_TIME,
    ...differs,
  };
}

/** A workload on a host. */
export function sampleWorkload(
  name: string,
  host: string,
  differs: Partial<FleetWorkload> = {},
): FleetWorkload {
  return {
    name,
    host,
    kind: 'process',
    state: 'running',
    pid: 1234,
    labels: { app: name },
    placement: {},
    memoryBytes: GIB / 2,
    addresses: ['10.0.0.7/16'],
    allowPostCopy: true,
    generation: 0,
    since: SAMPLE_TIME - 3_600_000,
    checkpoint: undefined,
    ...differs,
  };
}

/** A step from one host to another. */
export function sampleStep(workload: string, differs: Partial<FleetStep> = {}): FleetStep {
  return {
    id: `step-${workload}`,
    workload,
    from: 'host-a',
    to: 'host-b',
    state: 'waiting',
    phase: undefined,
    bytes: 0,
    memoryBytes: GIB / 2,
    attempts: 0,
    startedAt: undefined,
    endedAt: undefined,
    downtimeMs: undefined,
    message: undefined,
    ...differs,
  };
}

/** A step that has succeeded. */
export function sampleMove(workload: string, downtimeMs: number): FleetStep {
  return sampleStep(workload, {
    ...{ state: 'done', phase: 'done', bytes: GIB / 2, attempts: 1, downtimeMs },
    ...{ startedAt: SAMPLE_TIME - 9000, endedAt: SAMPLE_TIME - 1000 },
  });
}

/** An operation with steps. */
export function sampleOperation(
  id: string,
  steps: readonly FleetStep[],
  differs: Partial<FleetOperationView> = {},
): FleetOperationView {
  return {
    id,
    kind: 'drain',
    target: 'host-a',
    operator: 'ops',
    state: 'active',
    orderedAt: SAMPLE_TIME - 60_000,
    endedAt: undefined,
    steps,
    unplaced: [],
    ...differs,
  };
}

/** A workload for which a plan has no host. */
export function sampleUnplaced(
  workload: string,
  differs: Partial<UnplacedWorkload> = {},
): UnplacedWorkload {
  const objection = 'its CRIU 4.1 is older than 4.2.1, which host-a has';
  return {
    ...{ workload, from: 'host-a', reason: 'no host is possible' },
    objections: [{ objection, count: 12, hosts: ['host-b', 'host-c'] }],
    ...differs,
  };
}

/** Two hosts and three workloads. */
export function sampleView(): FleetView {
  return {
    hosts: [sampleHost('host-a', { state: 'draining' }), sampleHost('host-b')],
    workloads: [
      sampleWorkload('api', 'host-a'),
      sampleWorkload('db', 'host-a', {
        checkpoint: { id: 'c1', at: SAMPLE_TIME - 600_000, hosts: ['host-a', 'host-b'] },
      }),
      sampleWorkload('web', 'host-b', { state: 'moving' }),
    ],
  };
}
