import fc from 'fast-check';
import type { FleetHost, FleetView, FleetWorkload, HostFacts } from '../../src/fleet.ts';

export const GIB = 2 ** 30;

const facts: HostFacts = {
  ...{ criu: 40201, kernel: '6.12.0', architecture: 'x64', cpu: 'avx avx2 sse4_2' },
  ...{ memTrack: true, lazyPages: true, memoryBytes: 10 * GIB, freeMemoryBytes: 8 * GIB },
  ...{ freeDiskBytes: 100 * GIB, load: 0.5, processors: 4 },
};

/** A host that takes everything: 8 of its 10 GiB are free. */
export function aHost(
  name: string,
  {
    facts: own,
    ...others
  }: Partial<Omit<FleetHost, 'facts'>> & { facts?: Partial<HostFacts> } = {},
): FleetHost {
  return {
    ...{ name, state: 'ready', isAlive: true, isFenced: false, labels: {}, allowAddresses: [] },
    endpoint: { host: '127.0.0.1', port: 7007 },
    limits: { incoming: 2, outgoing: 2, bandwidth: undefined },
    seenAt: 0,
    ...others,
    facts: { ...facts, ...own },
  };
}

/** A workload that runs, with 1 GiB of memory. */
export function aWorkload(
  name: string,
  host: string,
  others: Partial<FleetWorkload> = {},
): FleetWorkload {
  return {
    ...{ name, host, kind: 'process', state: 'running', pid: 1, labels: {}, placement: {} },
    ...{ memoryBytes: GIB, addresses: [], allowPostCopy: false, generation: 0, since: 0 },
    checkpoint: undefined,
    ...others,
  };
}

/** Any small fleet, in which conditions often conflict. */
export const anyView: fc.Arbitrary<FleetView> = fc
  .tuple(
    fc.array(anyHost(), { minLength: 2, maxLength: 6 }),
    fc.array(anyWorkload(), { minLength: 1, maxLength: 20, size: 'max' }),
  )
  .map(([hosts, workloads]) => {
    const named = hosts.map((make, at) => make(`host-${at}`));
    const name = (at: number) => `host-${at % named.length}`;
    return { hosts: named, workloads: workloads.map((make, at) => make(`work-${at + 10}`, name)) };
  });

function anyHost(): fc.Arbitrary<(name: string) => FleetHost> {
  const mostly = <T>(usual: T, ...others: T[]) =>
    fc.oneof(
      { weight: 9, arbitrary: fc.constant(usual) },
      { weight: 1, arbitrary: fc.constantFrom(...others) },
    );
  const memory = fc.tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 0, max: 100 }));
  return fc
    .record({
      memory,
      state: mostly<FleetHost['state']>('ready', 'cordoned', 'draining', 'drained'),
      isAlive: mostly(true, false),
      isFenced: mostly(false, true),
      zone: fc.constantFrom('a', 'b'),
      criu: mostly(40201, 40100, 40300),
      architecture: mostly('x64', 'arm64'),
      cpu: mostly('avx avx2', 'avx', 'avx avx2 amx'),
      lazyPages: mostly(true, false),
      ranges: fc.constantFrom<string[]>(['192.0.2.0/24'], ['192.0.2.0/25', '2001:db8::/32'], []),
      incoming: mostly(2, 0, 1),
    })
    .map(
      ({ memory: [total, percent], state, isAlive, isFenced, zone, ranges, incoming, ...own }) => {
        const memoryBytes = total * GIB;
        const freeMemoryBytes = Math.floor((memoryBytes * percent) / 100);
        return (name) =>
          aHost(name, {
            ...{ state, isAlive, isFenced, labels: { zone }, allowAddresses: ranges },
            limits: { incoming, outgoing: 2, bandwidth: undefined },
            facts: { ...own, memoryBytes, freeMemoryBytes },
          });
      },
    );
}

function anyWorkload(): fc.Arbitrary<
  (name: string, hostAt: (at: number) => string) => FleetWorkload
> {
  const rarely = <T>(value: T) =>
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant(value) },
    );
  const app = fc.constantFrom('web', 'db', 'cache');
  const condition = fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: app.map((one) => ({ app: one })) },
  );
  return fc
    .record({
      // Many on one host, so that there is much to move.
      at: fc.oneof(fc.constant(0), fc.nat(5)),
      to: fc.nat(5),
      app,
      state: fc.constantFrom<FleetWorkload['state']>(
        ...(['running', 'running', 'running', 'running', 'moving', 'unresolved', 'ended'] as const),
      ),
      mib: fc.integer({ min: 1, max: 3000 }),
      hostLabels: rarely({ zone: 'a' }),
      affinity: condition,
      antiAffinity: condition,
      addresses: fc.constantFrom<string[]>([], [], ['192.0.2.200/32'], ['2001:db8::9/128']),
      allowPostCopy: fc.boolean(),
    })
    .map(({ at, to, app: own, mib, hostLabels, affinity, antiAffinity, ...others }) => {
      const placement = { hostLabels, affinity, antiAffinity };
      return (name, hostAt) =>
        aWorkload(name, hostAt(at), {
          ...{ ...others, labels: { app: own }, placement, memoryBytes: mib * 2 ** 20 },
          movingTo: others.state === 'moving' ? hostAt(to) : undefined,
        });
    });
}
