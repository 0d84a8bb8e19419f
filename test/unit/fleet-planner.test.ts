import { describe, expect, test } from 'vitest';
import {
  type FleetHost,
  type FleetPlan,
  type FleetView,
  type FleetWorkload,
  formatPlan,
  planDrain,
  planMove,
  planPlacement,
  planRebalance,
} from '../../src/fleet.ts';
import { failureOf } from '../helpers/failures.ts';
import { aHost, aWorkload, GIB } from '../helpers/fleet-views.ts';

const a = aHost('host-a');
const b = aHost('host-b');
const c = aHost('host-c');
const web = aWorkload('web', 'host-a');

const view = (
  hosts: readonly FleetHost[],
  workloads: readonly FleetWorkload[] = [],
): FleetView => ({
  hosts,
  workloads,
});
const withFree = (name: string, gib: number, others: Parameters<typeof aHost>[1] = {}) =>
  aHost(name, { ...others, facts: { ...others.facts, freeMemoryBytes: gib * GIB } });
const movesOf = ({ moves }: FleetPlan) =>
  moves.map(({ workload, from, to }) => `${workload}: ${from} -> ${to}`);
const objectionsOf = (found: Pick<FleetPlan['moves'][number], 'objections'> | undefined) =>
  Object.fromEntries(found?.objections.map(({ hosts, objection }) => [hosts[0], objection]) ?? []);

describe('a placement', () => {
  test('spread takes the host with the greatest part of its memory free, pack the one with the least that fits', () => {
    const hosts = [withFree('host-a', 4), withFree('host-b', 8), withFree('host-c', 2)];
    const memoryBytes = 1.2 * GIB;
    expect(planPlacement(view(hosts), { memoryBytes })).toEqual({
      host: 'host-b',
      reason: 'keeps 63 % of its memory free, the most of 3 possible hosts',
      objections: [],
    });
    expect(planPlacement(view(hosts), { memoryBytes }, { strategy: 'pack' })).toEqual({
      host: 'host-c',
      reason: 'has the least memory free of 3 possible hosts',
      objections: [],
    });
  });

  test('without a host has the reasons in one line, those of most hosts first', () => {
    const hosts = [
      ...[withFree('host-a', 1), withFree('host-b', 1.7), withFree('host-c', 2.2)],
      aHost('host-d', { state: 'cordoned' }),
    ];
    const { host, reason, objections } = planPlacement(view(hosts), { memoryBytes: 2 * GIB });
    expect(host).toBeUndefined();
    expect(reason).toBe(
      'no host is possible (host-a and host-b: has at most 1.2 GiB free of the 2.0 GiB needed; ' +
        'host-c: has 1.7 GiB free of the 2.0 GiB needed, besides its headroom and what other moves need; ' +
        'host-d: is cordoned)',
    );
    expect(objections.map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(planPlacement(view([]), { memoryBytes: 1 })).toMatchObject({
      host: undefined,
      reason: 'no host is possible: the fleet has no other',
    });
  });

  test('names at most ten hosts of an objection, and counts all', () => {
    const hosts = Array.from({ length: 15 }, (_, at) =>
      aHost(`host-${at + 10}`, { state: 'drained' }),
    );
    const { objections, reason } = planPlacement(view(hosts), { memoryBytes: 1 });
    expect(objections).toEqual([
      { objection: 'is drained', count: 15, hosts: hosts.slice(0, 10).map(({ name }) => name) },
    ]);
    expect(reason).toContain('host-19 and 5 more: is drained');
  });

  test('leaves the headroom and what is promised to workloads on their way', () => {
    const moving = aWorkload('w', 'host-a', {
      ...{ state: 'moving', movingTo: 'host-b', memoryBytes: 3 * GIB },
    });
    const place = (gib: number, headroom: number) =>
      planPlacement(view([b], [moving]), { memoryBytes: gib * GIB }, { headroom }).host;
    expect(place(5, 0)).toBe('host-b');
    expect(place(5.01, 0)).toBeUndefined();
    expect(place(4, 0.1)).toBe('host-b');
    expect(place(4.01, 0.1)).toBeUndefined();
  });

  test('of a restart needs what the lost host was, and never uses that', () => {
    const lost = aHost('host-a', { isAlive: false, facts: { criu: 40300 } });
    const { facts } = lost;
    const again = planPlacement(view([lost, b], [web]), { ...web, facts });
    expect(objectionsOf(again)).toEqual({
      'host-a': 'is lost: its agent does not answer',
      'host-b': 'its CRIU 4.2.1 is older than 4.3, which the host before has',
    });
    expect(planPlacement(view([lost, b], [web]), web).host).toBe('host-b');
  });

  test('refuses options that do not exist', () => {
    const options = { strategie: 'pack' } as object;
    expect(() => planPlacement(view([b]), web, options)).toThrow('did you mean strategy?');
    expect(() => planPlacement(view([b]), web, { headroom: 2 })).toThrow('from 0 to 0.9');
    expect(() => planRebalance(view([b]), { maxMoves: -1 })).toThrow('maxMoves');
  });
});

describe('a host is not possible if', () => {
  const cases: readonly [string, Parameters<typeof aHost>[1], Partial<FleetWorkload>][] = [
    ['is cordoned', { state: 'cordoned' }, {}],
    ['is being drained', { state: 'draining' }, {}],
    ['is drained', { state: 'drained' }, {}],
    ['is lost: its agent does not answer', { isAlive: false }, {}],
    ['is fenced', { isAlive: false, isFenced: true }, {}],
    [
      'takes no migrations: its limit of incoming ones is 0',
      { limits: { incoming: 0, outgoing: 1, bandwidth: undefined } },
      {},
    ],
    [
      'its architecture is arm64, not x64 as that of host-a',
      { facts: { architecture: 'arm64' } },
      {},
    ],
    ['its CRIU 4.1 is older than 4.2.1, which host-a has', { facts: { criu: 40100 } }, {}],
    [
      'its processor lacks avx2, sse4_2, which that of host-a has',
      { facts: { cpu: 'avx amx' } },
      {},
    ],
    ['takes no containers', {}, { kind: 'container' }],
    [
      'has no userfaultfd in its kernel, which post-copy needs',
      { facts: { lazyPages: false } },
      { allowPostCopy: true },
    ],
    [
      'lacks the label disk=fast',
      { labels: { zone: 'a' } },
      { placement: { hostLabels: { zone: 'a', disk: 'fast' } } },
    ],
    [
      'does not take the address 192.0.2.200/32',
      { allowAddresses: ['192.0.2.0/25', '2001:db8::/32'] },
      { addresses: ['192.0.2.9/32', '192.0.2.200/32'] },
    ],
    [
      'does not take the address 2001:db9::1/64',
      { allowAddresses: ['0.0.0.0/0', '2001:db8::/32'] },
      { addresses: ['2001:db8::1/64', '2001:db9::1/64'] },
    ],
    ['does not take the address nonsense', { allowAddresses: ['?'] }, { addresses: ['nonsense'] }],
    ['runs nothing with app=db', {}, { placement: { affinity: { app: 'db' } } }],
    [
      'has a workload with app=cache already',
      {},
      { placement: { antiAffinity: { app: 'cache' } } },
    ],
    ['has a workload that is to be apart from app=web', {}, { labels: { app: 'web' } }],
    ['has 8.0 GiB free of the 9.0 GiB needed', {}, { memoryBytes: 9 * GIB }],
    ['has 0.5 GiB of disk free of the 1.0 GiB needed', { facts: { freeDiskBytes: GIB / 2 } }, {}],
  ];
  test.each(cases)('it %s', (objection, ofHost, ofWorkload) => {
    const neighbour = aWorkload('cache', 'host-b', {
      ...{ labels: { app: 'cache' }, placement: { antiAffinity: { app: 'web' } } },
    });
    const hosts = [a, aHost('host-b', ofHost), aHost('host-x', { state: 'cordoned' })];
    const all = [neighbour, aWorkload('web', 'host-a', ofWorkload)];
    const headroom = 0;
    const { moves, unplaced } = planMove(view(hosts, all), 'web', { to: 'host-b', headroom });
    expect(moves).toEqual([]);
    const shown = objection.replace('0.5 GiB', '512 MiB');
    expect(unplaced).toEqual([
      {
        ...{ workload: 'web', from: 'host-a' },
        reason: `no host is possible (host-b: ${shown})`,
        objections: [{ objection: shown, count: 1, hosts: ['host-b'] }],
      },
    ]);
  });

  test('it is newer in all respects, it is possible', () => {
    const facts = { criu: 40200, kernel: '5.10', cpu: 'amx avx avx2 sse4_2', lazyPages: false };
    const workload = aWorkload('web', 'host-a', { addresses: ['192.0.2.200/24'] });
    const host = aHost('host-b', { facts, allowAddresses: ['192.0.2.128/25'] });
    expect(movesOf(planMove(view([a, host], [workload]), 'web'))).toEqual([
      'web: host-a -> host-b',
    ]);
  });
});

describe('a move', () => {
  test('explains its host and those that are not possible', () => {
    const hosts = [a, withFree('host-b', 3), c, aHost('host-d', { state: 'cordoned' })];
    const { moves, unplaced, notes } = planMove(view(hosts, [web]), 'web');
    expect(moves).toEqual([
      {
        ...{ workload: 'web', from: 'host-a', to: 'host-c', memoryBytes: GIB },
        reason: 'keeps 65 % of its memory free, the most of 2 possible hosts',
        objections: [{ objection: 'is cordoned', count: 1, hosts: ['host-d'] }],
      },
    ]);
    expect([unplaced, notes]).toEqual([[], []]);
  });

  test('goes to the host that was asked for, or nowhere', () => {
    const to = { to: 'host-b' };
    const hosts = [a, withFree('host-b', 3), c];
    expect(planMove(view(hosts, [web]), 'web', to).moves).toMatchObject([
      { to: 'host-b', reason: 'is the host that was asked for', objections: [] },
    ]);
    expect(planMove(view(hosts, [web]), 'web', { to: 'host-a' }).unplaced).toMatchObject([
      { reason: 'no host is possible (host-a: is where it runs)' },
    ]);
    expect(movesOf(planMove(view(hosts, [web]), 'web', { exclude: ['host-c'] }))).toEqual([
      'web: host-a -> host-b',
    ]);
  });

  test.each<[string, Partial<FleetWorkload>, Parameters<typeof aHost>[1]]>([
    ['it has ended', { state: 'ended' }, {}],
    ['it is being moved to host-c already', { state: 'moving', movingTo: 'host-c' }, {}],
    ['its last migration is not resolved; resolve it first', { state: 'unresolved' }, {}],
    ['its host host-a is lost: its agent does not answer', {}, { isAlive: false }],
    ['its host host-a is fenced; restart it from its checkpoint', {}, { isFenced: true }],
    [
      'its host host-a sends no migrations: its limit is 0',
      {},
      { limits: { incoming: 1, outgoing: 0, bandwidth: undefined } },
    ],
    ['its host host-z is not in the fleet', { host: 'host-z' }, {}],
  ])('is not possible: %s', (reason, ofWorkload, ofHost) => {
    const all = [aWorkload('web', 'host-a', ofWorkload)];
    const { moves, unplaced } = planMove(view([aHost('host-a', ofHost), b], all), 'web');
    expect(moves).toEqual([]);
    expect(unplaced).toMatchObject([{ workload: 'web', reason, objections: [] }]);
  });

  test('fails if there is no such workload or host', async () => {
    const wrong = { code: 'ERR_CRIU_FLEET', operation: 'planMove' };
    expect(await failureOf(() => planMove(view([a, b], [web]), 'wob'))).toMatchObject({
      ...wrong,
      message: 'planMove: there is no workload "wob" in the fleet',
    });
    expect(await failureOf(() => planMove(view([a, b], [web]), 'web', { to: 'c' }))).toMatchObject({
      ...wrong,
      message: 'planMove: there is no host "c" in the fleet',
    });
  });
});

describe('a drain', () => {
  const three = ['x', 'y', 'z'].map((name) => aWorkload(name, 'host-a'));

  test('spreads what it moves, and counts what it has promised', () => {
    const plan = planDrain(view([a, b, c], three), 'host-a');
    expect(movesOf(plan)).toEqual([
      ...['x: host-a -> host-b', 'y: host-a -> host-c', 'z: host-a -> host-b'],
    ]);
    const small = [a, withFree('host-b', 1.6), withFree('host-c', 1.6)];
    const tight = planDrain(view(small, three), 'host-a');
    expect(movesOf(tight)).toEqual(['x: host-a -> host-b', 'y: host-a -> host-c']);
    expect(tight.unplaced).toMatchObject([{ workload: 'z' }]);
    expect(tight.unplaced[0]?.reason).toContain('besides its headroom and what other moves need');
    expect(movesOf(planDrain(view([a, b, c], three), 'host-a', { strategy: 'pack' }))).toEqual([
      ...['x: host-a -> host-b', 'y: host-a -> host-b', 'z: host-a -> host-b'],
    ]);
  });

  test('places the largest first, so that the others fit into the rest', () => {
    const sizes = [1, 2, 3].map((gib) =>
      aWorkload(`w${gib}`, 'host-a', { memoryBytes: gib * GIB }),
    );
    const hosts = [a, withFree('host-b', 3), withFree('host-c', 3)];
    const { moves, unplaced } = planDrain(view(hosts, sizes), 'host-a', { headroom: 0 });
    expect(moves.map(({ workload }) => workload)).toEqual(['w3', 'w2', 'w1']);
    expect(unplaced).toEqual([]);
  });

  test('keeps apart what is to be apart, also if it moves in the same plan', () => {
    const apart = { labels: { app: 'web' }, placement: { antiAffinity: { app: 'web' } } };
    const all = ['x', 'y', 'z'].map((name) => aWorkload(name, 'host-a', apart));
    const { moves, unplaced } = planDrain(view([a, b, c], all), ['host-a']);
    expect(moves.map(({ to }) => to)).toEqual(['host-b', 'host-c']);
    expect(unplaced[0]?.objections[0]).toMatchObject({
      ...{ objection: 'has a workload with app=web already', count: 2 },
    });
  });

  test('keeps together what is to be together: the first may go anywhere', () => {
    const group = { labels: { app: 'web' }, placement: { affinity: { app: 'web' } } };
    const all = ['x', 'y', 'z'].map((name) => aWorkload(name, 'host-a', group));
    const { moves } = planDrain(view([a, b, c], all), 'host-a');
    expect(moves.map(({ to }) => to)).toEqual(['host-b', 'host-b', 'host-b']);
    const beside = aWorkload('beside', 'host-a', {
      ...{ placement: { affinity: { app: 'x' } }, memoryBytes: 2 * GIB },
    });
    const besideBeside = aWorkload('further', 'host-a', { placement: { affinity: { app: 'y' } } });
    const chain = [
      ...[beside, { ...besideBeside, labels: { app: 'z' } }],
      aWorkload('x', 'host-a', { labels: { app: 'x' } }),
      aWorkload('y', 'host-a', { labels: { app: 'y' }, placement: { affinity: { app: 'x' } } }),
    ];
    expect(movesOf(planDrain(view([a, b, c], chain), 'host-a')).sort()).toEqual([
      ...['beside: host-a -> host-b', 'further: host-a -> host-b'],
      ...['x: host-a -> host-b', 'y: host-a -> host-b'],
    ]);
    expect(movesOf(planMove(view([a, b, c], all), 'x'))).toEqual([]);
  });

  test('of several hosts moves nothing to any of them, and alternates', () => {
    const all = ['host-a', 'host-b'].flatMap((host) =>
      [1, 2, 3].map((at) => aWorkload(`${host}-${at}`, host)),
    );
    const plan = planDrain(view([a, b, c, aHost('host-d')], all), ['host-a', 'host-b']);
    expect(movesOf(plan)).toEqual([
      'host-a-1: host-a -> host-c',
      'host-b-1: host-b -> host-d',
      'host-a-2: host-a -> host-d',
      'host-b-2: host-b -> host-c',
      'host-a-3: host-a -> host-c',
      'host-b-3: host-b -> host-d',
    ]);
  });

  test('explains what it leaves', async () => {
    const all = [
      aWorkload('ended', 'host-a', { state: 'ended' }),
      aWorkload('going', 'host-a', { state: 'moving', movingTo: 'host-b' }),
      aWorkload('coming', 'host-b', { state: 'moving', movingTo: 'host-a' }),
      aWorkload('unclear', 'host-a', { state: 'unresolved' }),
    ];
    const { moves, unplaced } = planDrain(view([a, b], all), 'host-a');
    expect(moves).toEqual([]);
    expect(unplaced.map(({ workload, reason }) => [workload, reason])).toEqual([
      ['coming', 'it is being moved to host-a; drain that again afterwards'],
      ['going', 'it is being moved to host-b already'],
      ['unclear', 'its last migration is not resolved; resolve it first'],
    ]);
    expect(await failureOf(() => planDrain(view([a]), 'host-z'))).toMatchObject({
      code: 'ERR_CRIU_FLEET',
    });
  });

  test('begins in rounds that keep to the limits', () => {
    const all = Array.from({ length: 8 }, (_, at) => aWorkload(`w${at}`, 'host-a'));
    const one = { limits: { incoming: 1, outgoing: 3, bandwidth: undefined } };
    const hosts = [aHost('host-a', one), aHost('host-b', one), aHost('host-c', one)];
    const { moves } = planDrain(view(hosts, all), 'host-a');
    const rounds = [0, 2, 4, 6].map((at) =>
      moves
        .slice(at, at + 2)
        .map(({ to }) => to)
        .sort(),
    );
    expect(rounds).toEqual(Array.from({ length: 4 }, () => ['host-b', 'host-c']));
  });
});

describe('a rebalance', () => {
  const four = [1, 2, 3, 4].map((at) => aWorkload(`w${at}`, 'host-a'));

  test('moves from the fullest to the emptiest until the fullest is near the mean', () => {
    const hosts = [withFree('host-a', 1), withFree('host-b', 7), withFree('host-c', 7)];
    const plan = planRebalance(view(hosts, four));
    expect(movesOf(plan)).toEqual([
      'w1: host-a -> host-b',
      'w2: host-a -> host-c',
      'w3: host-a -> host-b',
    ]);
    expect(plan).toMatchObject({ unplaced: [], notes: [] });
    const pack = planRebalance(view(hosts, four), { strategy: 'pack', threshold: 0.2 });
    expect(movesOf(pack)).toEqual(['w1: host-a -> host-b', 'w2: host-a -> host-b']);
    const one = planRebalance(view(hosts, four), { maxMoves: 1 });
    expect(one.moves).toHaveLength(1);
    expect(one.notes).toEqual(['stops at 1 move, with 1 host still above 60 % of memory in use']);
  });

  test('does nothing if no host is above the threshold, or moves would gain too little', () => {
    const near = [withFree('host-a', 5), withFree('host-b', 6)];
    expect(planRebalance(view(near, four))).toEqual({
      ...{ moves: [], unplaced: [] },
      notes: ['no host is above 55 % of memory in use, and the mean is 45 %'],
    });
    const far = [withFree('host-a', 3), withFree('host-b', 6)];
    const { moves, unplaced, notes } = planRebalance(view(far, four), { hysteresis: 0.25 });
    expect(moves).toEqual([]);
    expect(notes).toEqual(['host-a stays at 70 % of memory in use']);
    expect(unplaced).toHaveLength(4);
    expect(unplaced[0]?.reason).toBe(
      'no host is possible (host-b: would come closer to host-a by less than 25 %)',
    );
    expect(planRebalance(view([a], four)).notes).toEqual(['fewer than two hosts are ready']);
  });

  test('does not turn the difference around', () => {
    const big = aHost('host-b', { facts: { memoryBytes: 100 * GIB, freeMemoryBytes: 80 * GIB } });
    const all = [aWorkload('w', 'host-a', { memoryBytes: 9 * GIB })];
    const { moves, unplaced } = planRebalance(view([withFree('host-a', 0.5), big], all));
    expect(moves).toEqual([]);
    expect(unplaced[0]?.reason).toBe(
      'no host is possible (host-b: would leave host-a with less in use than it has now)',
    );
  });

  test('leaves alone what cannot take part: other states, and what does not run', () => {
    const hosts = [
      ...[withFree('host-a', 1), withFree('host-b', 5), withFree('host-c', 0.1)],
      ...[aHost('host-d', { isAlive: false }), aHost('host-e', { state: 'drained' })],
    ];
    const cordoned = hosts.map((host) =>
      host.name === 'host-c' ? { ...host, state: 'cordoned' as const } : host,
    );
    const all = [
      ...[aWorkload('c', 'host-c'), aWorkload('moving', 'host-a', { state: 'moving' })],
      aWorkload('w', 'host-a'),
    ];
    expect(movesOf(planRebalance(view(cordoned, all)))).toEqual(['w: host-a -> host-b']);
  });

  test('counts workloads on their way where they will be', () => {
    const hosts = [withFree('host-a', 1), withFree('host-b', 7)];
    const going = [1, 2, 3].map((at) =>
      aWorkload(`m${at}`, 'host-a', { state: 'moving', movingTo: 'host-b' }),
    );
    expect(planRebalance(view(hosts, [...four, ...going])).notes).toEqual([
      'no host is above 70 % of memory in use, and the mean is 60 %',
    ]);
  });
});

test('the text of a plan', () => {
  const hosts = [
    ...[a, b, c, aHost('host-d', { state: 'cordoned' })],
    aHost('host-e', { facts: { criu: 40100 } }),
  ];
  const all = [
    aWorkload('big', 'host-a', { memoryBytes: 9 * GIB }),
    ...[aWorkload('cache', 'host-a', { memoryBytes: GIB / 4 }), web],
    aWorkload('x\u001b[1m', 'host-a', { state: 'unresolved' }),
  ];
  expect(formatPlan(planDrain(view(hosts, all), 'host-a'))).toBe(`2 moves, 1.3 GiB of memory:

     workload  from    to       memory  why
  1  web       host-a  host-b  1.0 GiB  keeps 65 % of its memory free, the most of 2 possible hosts
  2  cache     host-a  host-c  256 MiB  keeps 73 % of its memory free, the most of 2 possible hosts

Not possible for these moves:

  host-d: is cordoned
  host-e: its CRIU 4.1 is older than 4.2.1, which host-a has

2 workloads stay:

  big on host-a: no host is possible
    host-b and host-c: has at most 7.5 GiB free of the 9.0 GiB needed
    host-d: is cordoned
    host-e: its CRIU 4.1 is older than 4.2.1, which host-a has
  x\\u{1b}[1m on host-a: its last migration is not resolved; resolve it first
`);
});
