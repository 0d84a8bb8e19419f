// Addresses that move with the processes, IPv4 and IPv6, while a client stays connected.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { MigrationPhase, MigrationResolution } from '../../../src/index.ts';
import { journalsIn } from '../../../src/migration/journal/journal.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { criuBeside } from '../../helpers/migration-host.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { type Host, Lab } from '../../lab/hosts.mjs';
import { migrateIt, type Scene, startScene } from '../../lab/migration.mjs';
import { type Report, startAgent, startClient, startServer } from '../../lab/programs.mjs';

const mode = 'stop-and-copy';
const connected = { connections: 1, faults: [] };

interface Refused extends Error {
  readonly facts: { readonly code: string; readonly workload?: string };
}

// After each test the server is on host a again, with its address and its client.
let lab: Lab;
let scene: Scene;
let moved: string;
beforeAll(async () => {
  await buildLibrary();
  lab = await Lab.start();
  scene = await startScene(lab, { heap: 8 });
  moved = `${lab.serviceAddress}/32`;
});
afterAll(() => lab.close());

/** Expects that one host has the address, and that nothing of the move or of a network lock is left. */
async function expectAt(moved: string, here: Host, there: Host): Promise<void> {
  expect(await here.addressesOf('eth0')).toContain(moved);
  expect(await there.addressesOf('eth0')).not.toContain(moved);
  for (const host of [here, there]) {
    expect(await host.addressesOf('lo')).toEqual(['127.0.0.1/8', '::1/128']);
    const ignore = await host.run('cat', ['/proc/sys/net/ipv4/conf/eth0/arp_ignore']);
    expect(ignore).toBe('0\n');
    expect(await rulesIn(`/proc/${host.init}/ns/net`), host.name).toEqual([]);
  }
}

/** Migrates with a fault before a phase; resolves with the error. */
async function failAt(
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

/** Migrates with a fault at the hand-over that ends agents; resolves with the ids of its journals. */
async function journalsOfFailure(fault: () => unknown, options?: object): Promise<string[]> {
  const earlier = await journalsIn(outgoing());
  await failAt('hand-over', fault, options);
  return (await journalsIn(outgoing())).filter((id) => !earlier.includes(id));
}

const outgoing = () => join(lab.directory, 'a', 'outgoing');

/** Starts the agent of a host again, after its death. */
async function startAgain(name: 'a' | 'b') {
  const agent = await startAgent(lab[name]);
  const agents = { ...scene.agents, [name]: agent };
  scene = { ...scene, agents, here: agents.a, there: agents.b };
  return agent;
}

/** Expects that the client of the scene still has its first connection, and got answers in order. */
async function expectConnected({ client }: Pick<Scene, 'client'> = scene): Promise<void> {
  await client.answersOn();
  expect(await client.ask<Report>('report')).toMatchObject(connected);
}

test('addresses that cannot move or be bound are refused before anything is frozen', async () => {
  const refusal = async (options: object) => {
    const { facts, message } = await failAt('connect', () => {}, options);
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
  onTestFinished(() => lab.a.ip('addr del 10.78.0.100/32 dev eth0'));
  expect(await refusal({ addresses: [moved, '10.78.0.100/32'] })).toContain(
    'This host does not take the address 10.78.0.100/32. Allow it there: allowAddresses',
  );
  await lab.b.ip(`addr add ${moved} dev eth0`);
  onTestFinished(() => lab.b.ip(`addr del ${moved} dev eth0`));
  expect(await refusal({ addresses: [moved] })).toContain(
    `The address ${moved} is already on eth0 of this host. Remove it there`,
  );
  await expectConnected();
});

test.each([
  ['serviceAddress', 'stop-and-copy'],
  ['serviceAddressV6', 'post-copy'],
] as const)(
  'a server bound to its %s moves there and back with it (%s), and its client stays connected',
  async (name, mode) => {
    const address = lab[name];
    const isV6 = name === 'serviceAddressV6';
    const moving = isV6 ? await besides(address) : scene;
    const addresses = [`${address}/${isV6 ? 128 : 32}`] as const;
    for (const [from, to] of [
      [lab.a, lab.b],
      [lab.b, lab.a],
    ] as const) {
      await migrateIt(lab, moving, { mode, addresses }, { from, to });
      await expectAt(addresses[0], to, from);
      await expectConnected(moving);
    }
    if (isV6) await moving.client.ask('stop');
  },
);

/** The scene with a second server, at another address, and its client. */
async function besides(host: string): Promise<Scene> {
  const pid = await startServer(lab, scene.here, { heap: 8, host });
  const client = await startClient(lab, host);
  await client.measure();
  return { ...scene, pid, client };
}

test.each([
  ['the hook throws before the hand-over', { takesBack: false }],
  ['the copy dies and the destination gives it up', { takesBack: true }],
])('after %s, the address comes back and the client stays connected', async (_, { takesBack }) => {
  const error = await failAt('hand-over', async () => {
    expect(await lab.a.addressesOf('eth0')).not.toContain(moved);
    if (!takesBack) throw new Error('the hook has thrown');
    for (const pid of await criuBeside(lab.b.init)) process.kill(pid, 'SIGKILL');
  });
  expect(error.facts).toMatchObject({ workload: 'running' });
  await expectAt(moved, lab.a, lab.b);
  await expectConnected();
});

test('after the death of both agents, the next ones put the addresses back', async () => {
  const [id] = await journalsOfFailure(() => Promise.all([scene.here.kill(), scene.there.kill()]));
  expect(await lab.b.addressesOf('lo')).toContain(moved);
  const [here, there] = await Promise.all([startAgain('a'), startAgain('b')]);
  await there.ask('serve', {
    ...{ listen: { host: lab.b.address, port: 0 }, tls: scene.tls.b },
    directory: join(lab.directory, 'b'),
  });
  const directory = join(lab.directory, 'a');
  const resolved = await here.ask<MigrationResolution>('resolve', { id, directory });
  expect(resolved).toMatchObject({ owner: 'source', reachable: true, remaining: [] });
  await expectAt(moved, lab.a, lab.b);
  await expectConnected();
});

test('switchBack is called before the destination ends the copy, and by resolveMigration', async () => {
  await lab.makeServiceBindable();
  const functions = { addresses: undefined };
  const states: string[] = [];
  scene.here.on('switchOver', () => lab.moveService(lab.a, lab.b));
  scene.here.on('switchBack', async () => {
    const [migration] = (await scene.there.ask<{ state: string }[]>('migrations')).slice(-1);
    states.push(migration?.state ?? 'none');
    await lab.moveService(lab.b, lab.a);
  });
  await failAt('hand-over', () => Promise.reject(new Error('thrown')), functions);
  expect(states).toEqual(['prepared']);
  await scene.client.answersOn();

  const [id] = await journalsOfFailure(() => scene.here.kill(), functions);
  const here = await startAgain('a');
  const directory = join(lab.directory, 'a');
  expect(await here.ask<MigrationResolution>('resolve', { id, directory })).toMatchObject({
    ...{ done: 'resumed', reachable: false },
    remaining: [expect.stringMatching(/^switchOver was called: move/)],
  });
  here.on('switchBack', () => lab.moveService(lab.b, lab.a));
  const again = { id, directory, hooks: ['switchBack'] };
  for (let time = 0; time < 2; time++) {
    expect(await here.ask('resolve', again)).toMatchObject({ reachable: true, remaining: [] });
  }
  await scene.client.answersOn();
});
