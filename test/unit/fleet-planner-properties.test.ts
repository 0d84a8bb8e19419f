import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type FleetHost,
  type FleetPlan,
  type FleetView,
  type FleetWorkload,
  formatPlan,
  type Labels,
  planDrain,
  planMove,
  planPlacement,
  planRebalance,
} from '../../src/fleet.ts';
import { anyView } from '../helpers/fleet-views.ts';

const strategy = fc.constantFrom('spread' as const, 'pack' as const);
const headroom = fc.constantFrom(0, 0.05, 0.2);
const options = fc.record({ strategy, headroom });

/** Plans of all kinds for any fleet, with the hosts that each empties. */
const anyPlan = fc.tuple(anyView, options, fc.integer({ min: 1, max: 2 })).chain(
  ([view, given, count]): fc.Arbitrary<{
    readonly view: FleetView;
    readonly plan: () => FleetPlan;
    readonly emptied: readonly string[];
    readonly headroom: number;
  }> => {
    const emptied = view.hosts.slice(0, count).map(({ name }) => name);
    const drain = { view, emptied, headroom: given.headroom };
    const rest = { ...drain, emptied: [] };
    return fc.constantFrom(
      { ...drain, plan: () => planDrain(view, emptied, given) },
      { ...rest, plan: () => planRebalance(view, { ...given, threshold: 0.02, hysteresis: 0 }) },
      ...view.workloads
        .slice(0, 1)
        .map(({ name }) => ({ ...rest, plan: () => planMove(view, name, given) })),
    );
  },
);

const has = (labels: Labels, wanted: Labels | undefined) =>
  wanted !== undefined &&
  Object.entries(wanted).every(([name, value]) => labels[name] === value) &&
  Object.keys(wanted).length > 0;

const hostOf = (view: FleetView, name: string) =>
  view.hosts.find((each) => each.name === name) as FleetHost;
const workloadOf = (view: FleetView, name: string) =>
  view.workloads.find((each) => each.name === name) as FleetWorkload;

/** What is on each host, or on its way to it, once the moves have begun. */
function occupants({ hosts, workloads }: FleetView, { moves }: FleetPlan) {
  const places = (workload: FleetWorkload) => [
    workload.host,
    workload.movingTo,
    moves.find((move) => move.workload === workload.name)?.to,
  ];
  const present = workloads.filter(({ state }) => state !== 'ended');
  return hosts.map(
    ({ name }) => [name, present.filter((each) => places(each).includes(name))] as const,
  );
}

test('no host gets more than its memory without the headroom', () => {
  const property = fc.property(anyPlan, ({ view, plan, headroom: part }) => {
    const { moves } = plan();
    for (const { name, facts } of view.hosts) {
      const own = moves.filter(({ to }) => to === name);
      if (own.length === 0) continue;
      const coming = view.workloads.filter(
        ({ state, movingTo }) => state !== 'ended' && movingTo === name,
      );
      const sum = [...own, ...coming].reduce((total, { memoryBytes }) => total + memoryBytes, 0);
      expect(sum).toBeLessThanOrEqual(facts.freeMemoryBytes - part * facts.memoryBytes + 1e-3);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('no move goes to a host that objects, and each is of a workload that can be moved', () => {
  const property = fc.property(anyPlan, ({ view, plan, emptied }) => {
    const { moves } = plan();
    expect(new Set(moves.map(({ workload }) => workload)).size).toBe(moves.length);
    for (const { workload: name, from, to, objections } of moves) {
      const [workload, source, host] = [
        ...[workloadOf(view, name), hostOf(view, from), hostOf(view, to)],
      ] as [FleetWorkload, FleetHost, FleetHost];
      expect([workload.host, workload.state]).toEqual([from, 'running']);
      expect(to).not.toBe(from);
      expect(emptied).not.toContain(to);
      expect(objections.flatMap(({ hosts }) => hosts)).not.toContain(to);
      for (const { isAlive, isFenced } of [source, host]) {
        expect([isAlive, isFenced]).toEqual([true, false]);
      }
      expect(host.state).toBe('ready');
      expect(host.limits.incoming).toBeGreaterThan(0);
      expect(host.facts.architecture).toBe(source.facts.architecture);
      expect(Math.floor(host.facts.criu / 100)).toBeGreaterThanOrEqual(
        Math.floor(source.facts.criu / 100),
      );
      expect(host.facts.cpu.split(' ')).toEqual(
        expect.arrayContaining(source.facts.cpu.split(' ')),
      );
      if (workload.allowPostCopy) expect(host.facts.lazyPages).toBe(true);
      const { hostLabels } = workload.placement;
      if (hostLabels) expect(has(host.labels, hostLabels)).toBe(true);
      if (workload.addresses.length > 0) {
        const range = workload.addresses[0]?.includes(':') ? '2001:db8::/32' : '192.0.2.0/24';
        expect(host.allowAddresses).toContain(range);
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('a plan puts nothing beside what it is to be apart from, and all beside what it is to be with', () => {
  const property = fc.property(anyPlan, ({ view, plan }) => {
    const found = plan();
    for (const [host, present] of occupants(view, found)) {
      for (const { workload, to } of found.moves) {
        if (to !== host) continue;
        const moved = workloadOf(view, workload);
        const others = present.filter(({ name }) => name !== workload);
        const { affinity, antiAffinity } = moved.placement;
        expect(others.filter(({ labels }) => has(labels, antiAffinity))).toEqual([]);
        expect(others.filter((each) => has(moved.labels, each.placement.antiAffinity))).toEqual([]);
        // The first of a group may go anywhere.
        if (affinity === undefined || has(moved.labels, affinity)) continue;
        expect(others.some(({ labels }) => has(labels, affinity))).toBe(true);
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('equal views give equal plans, and leave the view as it was', () => {
  const property = fc.property(anyPlan, ({ view, plan }) => {
    const before = structuredClone(view);
    const first = plan();
    expect(plan()).toEqual(first);
    expect(view).toEqual(before);
    expect(JSON.parse(JSON.stringify(first))).toEqual(first);
    expect(formatPlan(first).split('\n').length).toBeGreaterThan(1);
  });
  fc.assert(property, { numRuns: 300 });
});

test('a drain leaves nothing without an explanation', () => {
  const property = fc.property(anyView, options, (view, given) => {
    const names = view.hosts.slice(0, 2).map(({ name }) => name);
    const { moves, unplaced } = planDrain(view, names, given);
    const told = [...moves, ...unplaced].map(({ workload }) => workload).sort();
    const concerned = view.workloads.filter(
      ({ state, host, movingTo }) =>
        state !== 'ended' && (names.includes(host) || names.includes(movingTo ?? '')),
    );
    expect(told).toEqual(concerned.map(({ name }) => name).sort());
    for (const { reason, objections, from } of unplaced) {
      expect(reason).not.toBe('');
      if (!reason.startsWith('no host')) continue;
      const counted = objections.reduce((total, { count }) => total + count, 0);
      expect(counted).toBe(view.hosts.filter(({ name }) => name !== from).length);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('a placement has as many objections as there are hosts that are not possible', () => {
  const property = fc.property(anyView, options, (view, given) => {
    for (const workload of view.workloads.slice(0, 3)) {
      const { host, objections } = planPlacement(view, workload, given);
      const counted = objections.reduce((total, { count }) => total + count, 0);
      if (host === undefined) expect(counted).toBe(view.hosts.length);
      else expect(counted).toBeLessThan(view.hosts.length);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('a rebalance never widens the range of the used parts, nor their variance, and has at most so many moves', () => {
  const rules = fc.record({
    ...{ strategy, headroom, maxMoves: fc.nat(5) },
    threshold: fc.constantFrom(0, 0.05, 0.2),
    hysteresis: fc.constantFrom(0, 0.02, 0.1),
  });
  let moved = 0;
  const property = fc.property(anyView, rules, (view, given) => {
    // Without those under way, so that the levels are those of the facts.
    const workloads = view.workloads.filter(({ state }) => state !== 'moving');
    const { moves } = planRebalance({ ...view, workloads }, given);
    moved += moves.length;
    expect(moves.length).toBeLessThanOrEqual(given.maxMoves);
    const froms = new Set(moves.map(({ from }) => from));
    expect(moves.filter(({ to }) => froms.has(to))).toEqual([]);
    const ready = view.hosts.filter(
      ({ state, isAlive, isFenced }) => state === 'ready' && isAlive && !isFenced,
    );
    const levels = (after: boolean) =>
      ready.map(({ name, facts }) => {
        let used = facts.memoryBytes - facts.freeMemoryBytes;
        if (after) {
          for (const { from, to, memoryBytes } of moves) {
            if (from === name) used -= memoryBytes;
            if (to === name) used += memoryBytes;
          }
        }
        return { level: used / facts.memoryBytes, weight: facts.memoryBytes };
      });
    const range = (all: ReturnType<typeof levels>) =>
      Math.max(...all.map(({ level }) => level)) - Math.min(...all.map(({ level }) => level));
    // The mean that is weighted by memory stays the same, so the sum of the squares is enough.
    const squares = (all: ReturnType<typeof levels>) =>
      all.reduce((sum, { level, weight }) => sum + weight * level ** 2, 0);
    if (moves.length === 0) return;
    expect(range(levels(true))).toBeLessThanOrEqual(range(levels(false)) + 1e-9);
    expect(squares(levels(true))).toBeLessThan(squares(levels(false)));
  });
  fc.assert(property, { numRuns: 300 });
  expect(moved).toBeGreaterThan(0);
});
