import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main } from '../../helpers/command.ts';
import { removeCgroupsAfterLab, startLab } from '../../helpers/lab.ts';
import { noteFault } from '../../helpers/reliability.ts';
import {
  bundlesOf,
  listContainers,
  migrateContainer,
  startContainerScene,
} from '../../lab/containers.mjs';
import type { Host } from '../../lab/hosts.mjs';
import { DUMP } from '../../lab/migration.mjs';
import { type Report, startAgent } from '../../lab/programs.mjs';

beforeAll(buildCommand);

/** A lab with a container, which ends with the test. */
async function startScene(connection: 'veth' | 'macvlan', isV6 = false) {
  const hasStarted = removeCgroupsAfterLab();
  const lab = await startLab();
  hasStarted(lab);
  return { lab, scene: await startContainerScene(lab, { connection, isV6, heap: 16 }) };
}

/** The devices, addresses and routes of a container. */
async function networkOf(host: Host, pid: number): Promise<unknown> {
  const ask = async (...command: string[]) =>
    JSON.parse(await host.run('nsenter', [`--net=/proc/${pid}/ns/net`, 'ip', '-json', ...command]));
  const links: { ifname: string; address: string; mtu: number; addr_info: object[] }[] =
    await ask('address');
  return {
    links: links
      .filter(({ ifname }) => ['eth0', 'lo'].includes(ifname))
      .map(({ ifname, address, mtu, addr_info }) => [ifname, address, mtu, addr_info.length]),
    routes: [await ask('route'), await ask('-6', 'route')],
  };
}

test.each([
  ['veth', 'pre-copy', 'IPv6'],
  ['macvlan', 'post-copy', 'IPv4'],
] as const)(
  'a container with a %s of its own moves with it in %s, and its client stays connected by %s',
  async (connection, mode, version) => {
    const { lab, scene } = await startScene(connection, version === 'IPv6');
    const before = await scene.client.ask<Report>('report');
    const [{ pid } = { pid: 0 }] = await listContainers(lab.a);
    const network = await networkOf(lab.a, pid);
    const { result } = await migrateContainer(lab, scene, { mode });
    await scene.client.answersOn();
    const after = await scene.client.ask<Report>('stop');
    expect(after).toMatchObject({ connections: 1, faults: [] });
    expect(after.count).toBeGreaterThan(before.count);
    expect(result.leftovers).toEqual([]);
    expect(await scene.client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
    expect(await listContainers(lab.a)).toEqual([]);
    expect(await listContainers(lab.b)).toMatchObject([
      { id: 'web', status: 'running', pid: result.pid },
    ]);
    expect(await networkOf(lab.b, result.pid)).toEqual(network);
  },
);

test.each([
  ['veth', 'by the command and runc', 'runc', { bridge: 'br0' }],
  ['macvlan', 'without a runtime', false, { parent: 'eth0' }],
] as const)(
  'a container with a %s of its own gets it again from a checkpoint, %s, and its client stays connected',
  async (connection, _, runtime, place) => {
    const { lab, scene } = await startScene(connection);
    const { agents, client, id } = scene;
    const [{ pid } = { pid: 0 }] = await listContainers(lab.a);
    const network = await networkOf(lab.a, pid);
    const store = join(lab.directory, 'store');
    const checkpoint = await agents.a.ask<string>('checkpointContainer', {
      ...{ id, store, name: 'web', ...DUMP },
    });
    expect(await listContainers(lab.a)).toEqual([]);
    const bundle = join(bundlesOf(lab, lab.b), id);
    const restore = (links: object) =>
      agents.b.ask<number>('restoreContainer', {
        ...{ store, checkpoint, id, runtime, bundle, network: links },
      });
    await expect(restore({})).rejects.toThrow('no place in its network for the device eth0');
    const nowhere = { [connection === 'veth' ? 'bridge' : 'parent']: 'none0' };
    await expect(restore({ eth0: nowhere })).rejects.toThrow(/none0/);
    expect(await listContainers(lab.b)).toEqual([]);
    if (runtime) {
      const where = ['-D', join(store, checkpoint), '--id', id, '--bundle', bundle];
      const flags = [...where, '--container-link', 'eth0=bridge:br0', '--criu', criuPath()];
      await lab.b.run(process.execPath, [main, 'container', 'restore', ...flags]);
    } else {
      await restore({ eth0: place });
    }
    await client.answersOn();
    expect(await client.ask<Report>('stop')).toMatchObject({ connections: 1, faults: [] });
    expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
    const [copy] = await listContainers(lab.b);
    expect(copy).toMatchObject({ id, status: 'running' });
    expect(await networkOf(lab.b, copy?.pid ?? 0)).toEqual(network);
  },
);

test('a container whose migration fails late is connected again', async () => {
  const { lab, scene } = await startScene('veth');
  scene.agents.a.on('switchOver', () => {
    throw new Error('not today');
  });
  const migration = migrateContainer(lab, scene, { mode: 'stop-and-copy' });
  await expect(migration).rejects.toThrow('not today');
  await scene.client.answersOn();
  expect(await listContainers(lab.b)).toEqual([]);
  // The agent dies once the container is disconnected.
  scene.agents.a.on('switchOver', () => {});
  const phase = async (now: string) => {
    if (now === 'hand-over') await scene.agents.a.kill();
  };
  const options = { mode: 'stop-and-copy', hooks: { phase } } as const;
  await expect(migrateContainer(lab, scene, options)).rejects.toThrow('exited');
  const directory = join(lab.directory, 'a');
  const agent = await startAgent(lab.a);
  const resolution = await agent.ask('resolveContainer', {
    ...{ id: 'web', directory, tls: scene.tls.a },
  });
  expect(resolution).toMatchObject({ owner: 'source', done: 'resumed', reachable: true });
  await scene.client.answersOn();
  await scene.agents.b.ask('closeServer');
  expect(await scene.client.ask<Report>('stop')).toMatchObject({ connections: 1, faults: [] });
  expect(await listContainers(lab.a)).toMatchObject([{ id: 'web', status: 'running' }]);
  expect(await listContainers(lab.b)).toEqual([]);
  const links = JSON.parse(await lab.b.run('ip', ['-json', 'link', 'show', 'type', 'veth']));
  expect(links.map(({ ifname }: { ifname: string }) => ifname)).toEqual(['eth0']);
  for (const [fault, error] of [
    ['the switch-over throws', 'ERR_CRIU_MIGRATION_FAILED'],
    [
      'agent of the source killed at hand-over',
      'none: the caller is gone; resolveMigration ends it',
    ],
  ] as const) {
    await noteFault('containers', {
      ...{ fault: `migration with its network: ${fault}`, error, left: 'nothing' },
      workload: 'the original runs on, connected again',
    });
  }
});
