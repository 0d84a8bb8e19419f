// Addresses that move with the processes, IPv4 and IPv6, while a client stays connected.
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { MigrationPhase, MigrationResolution } from '../../../src/index.ts';
import { journalsIn } from '../../../src/migration/journal/journal.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { criuBeside } from '../../helpers/migration-host.ts';
import { type Host, Lab } from '../../lab/hosts.mjs';
import { migrateIt, type Scene, startScene } from '../../lab/migration.mjs';
import { type Report, startAgent } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

const mode = 'stop-and-copy';
const connected = { connections: 1, faults: [] };

interface Refused extends Error {
  readonly facts: { readonly code: string; readonly workload?: string };
}

async function startLab(host?: 'serviceAddress' | 'serviceAddressV6') {
  const lab = await Lab.start();
  onTestFinished(() => lab.close());
  const address = lab[host ?? 'serviceAddress'];
  const scene = await startScene(lab, { heap: 8, host: address });
  const moved = `${address}/${address.includes(':') ? 128 : 32}`;
  return { lab, scene, moved };
}

/** Expects that one host has the address, and that nothing of the move is left on the other. */
async function expectAt(moved: string, here: Host, there: Host): Promise<void> {
  expect(await here.addressesOf('eth0')).toContain(moved);
  expect(await there.addressesOf('eth0')).not.toContain(moved);
  for (const host of [here, there]) {
    expect(await host.addressesOf('lo')).toEqual(['127.0.0.1/8', '::1/128']);
    const ignore = await host.run('cat', ['/proc/sys/net/ipv4/conf/eth0/arp_ignore']);
    expect(ignore).toBe('0\n');
  }
}

/** Migrates with a fault before a phase; resolves with the error. */
async function failAt(
  { lab, scene, moved }: { lab: Lab; scene: Scene; moved: string },
  phase: MigrationPhase,
  fault: () => unknown,
  options: object = { addresses: [moved] },
): Promise<Refused> {
  const hooks = {
    phase: async (now: MigrationPhase) => {
      if (now === phase) await fault();
    },
  };
  return await migrateIt(lab, scene, { mode, stallMs: 2500, hooks, ...options }).then(
    () => expect.fail('the migration has succeeded'),
    (error: Refused) => error,
  );
}

test.each(['serviceAddress', 'serviceAddressV6'] as const)(
  'a server bound to its %s moves there and back with it, and its client stays connected',
  async (host) => {
    const { lab, scene, moved } = await startLab(host);
    for (const [from, to] of [
      [lab.a, lab.b],
      [lab.b, lab.a],
    ] as const) {
      await migrateIt(lab, scene, { mode, addresses: [moved] }, { from, to });
      await expectAt(moved, to, from);
      await scene.client.answersOn();
    }
    expect(await scene.client.ask<Report>('stop')).toMatchObject(connected);
  },
);

test.each([
  ['the hook throws before the hand-over', { takesBack: false }],
  ['the copy dies and the destination gives it up', { takesBack: true }],
])('after %s, the address comes back and the client stays connected', async (_, { takesBack }) => {
  const started = await startLab();
  const { lab, scene, moved } = started;
  const error = await failAt(started, 'hand-over', async () => {
    expect(await lab.a.addressesOf('eth0')).not.toContain(moved);
    if (!takesBack) throw new Error('the hook has thrown');
    for (const pid of await criuBeside(lab.b.init)) process.kill(pid, 'SIGKILL');
  });
  expect(error.facts).toMatchObject({ workload: 'running' });
  await expectAt(moved, lab.a, lab.b);
  await scene.client.answersOn();
  expect(await scene.client.ask<Report>('stop')).toMatchObject(connected);
});

test('after the death of both agents, the next ones put the addresses back', async () => {
  const started = await startLab();
  const { lab, scene, moved } = started;
  await failAt(started, 'hand-over', () => Promise.all([scene.here.kill(), scene.there.kill()]));
  expect(await lab.b.addressesOf('lo')).toContain(moved);
  const [here, there] = await Promise.all([startAgent(lab.a), startAgent(lab.b)]);
  await there.ask('serve', {
    ...{ listen: { host: lab.b.address, port: 0 }, tls: scene.tls.b },
    directory: join(lab.directory, 'b'),
  });
  const directory = join(lab.directory, 'a');
  const [id] = await journalsIn(join(directory, 'outgoing'));
  const resolved = await here.ask<MigrationResolution>('resolve', { id, directory });
  expect(resolved).toMatchObject({ owner: 'source', reachable: true, remaining: [] });
  await expectAt(moved, lab.a, lab.b);
  await scene.client.answersOn();
  expect(await scene.client.ask<Report>('stop')).toMatchObject(connected);
});

test('switchBack is called before the destination ends the copy, and by resolveMigration', async () => {
  const started = await startLab();
  const { lab, scene } = started;
  await lab.makeServiceBindable();
  const states: string[] = [];
  scene.here.on('switchOver', () => lab.moveService(lab.a, lab.b));
  scene.here.on('switchBack', async () => {
    const [migration] = await scene.there.ask<{ state: string }[]>('migrations');
    states.push(migration?.state ?? 'none');
    await lab.moveService(lab.b, lab.a);
  });
  const functions = { addresses: undefined };
  await failAt(started, 'hand-over', () => Promise.reject(new Error('thrown')), functions);
  expect(states).toEqual(['prepared']);
  await scene.client.answersOn();

  await failAt(started, 'hand-over', () => scene.here.kill(), functions);
  const here = await startAgent(lab.a);
  const directory = join(lab.directory, 'a');
  const ids = await journalsIn(join(directory, 'outgoing'));
  const outcomes: MigrationResolution[] = [];
  for (const id of ids) {
    outcomes.push(await here.ask<MigrationResolution>('resolve', { id, directory }));
  }
  const unreachable = outcomes.filter(({ reachable }) => reachable === false);
  expect(unreachable).toMatchObject([
    { done: 'resumed', remaining: [expect.stringMatching(/^switchOver was called: move/)] },
  ]);
  here.on('switchBack', () => lab.moveService(lab.b, lab.a));
  const last = { id: unreachable[0]?.id, directory, hooks: ['switchBack'] };
  expect(await here.ask('resolve', last)).toMatchObject({ reachable: true, remaining: [] });
  expect(await here.ask('resolve', last)).toMatchObject({ reachable: true, remaining: [] });
  await scene.client.answersOn();
});

test('addresses that cannot move or be bound are refused before anything is frozen', async () => {
  const started = await startLab();
  const { lab, scene, moved } = started;
  const refusal = async (options: object) => {
    const { facts, message } = await failAt(started, 'connect', () => {}, options);
    expect(facts).toMatchObject({ code: 'ERR_CRIU_MIGRATION_REFUSED' });
    return message;
  };
  expect(await refusal({ addresses: [] })).toContain(
    `Sockets of the processes are bound to ${lab.serviceAddress}, and this host has no such address. Move the address with the migration (addresses, --address)`,
  );
  expect(await refusal({ addresses: ['10.77.0.101/32'] })).toContain(
    'the address 10.77.0.101/32 cannot move: no device of this host has it',
  );
  expect(await refusal({ addresses: [{ address: moved, device: 'bond0' }] })).toContain(
    `the address ${moved} cannot move: bond0 does not have it`,
  );
  expect(await refusal({ addresses: ['10.77.0.100/24'] })).toContain(
    `the address of eth0 is ${moved}, not 10.77.0.100/24`,
  );
  await lab.a.ip('addr add 10.78.0.100/32 dev eth0');
  expect(await refusal({ addresses: [moved, '10.78.0.100/32'] })).toContain(
    'This host does not take the address 10.78.0.100/32. Allow it there: allowAddresses',
  );
  await lab.b.ip(`addr add ${moved} dev eth0`);
  expect(await refusal({ addresses: [moved] })).toContain(
    `The address ${moved} is already on eth0 of this host. Remove it there`,
  );
  expect(await scene.client.ask<Report>('stop')).toMatchObject(connected);
});
