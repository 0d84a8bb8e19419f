import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { fleetScene } from '../../helpers/fleet-lab.ts';
import { takesContainers } from '../../helpers/fleet-mix.ts';
import { removeCgroupsAfterLab } from '../../helpers/lab.ts';
import { waitFor } from '../../helpers/workload.ts';
import { ADDRESS, listContainers, startContainer } from '../../lab/containers.mjs';
import type { Host, Lab } from '../../lab/hosts.mjs';
import { startClient } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

/** Waits until the server in the container answers a new client, and says that its memory is right. */
async function verified(lab: Lab) {
  const client = await startClient(lab, ADDRESS);
  const isRight = () =>
    client.ask<{ ok: boolean }>('get', { path: '/verify' }).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitFor(isRight, 'the server in the container answers');
}

test('a container of a lost host goes on with its network, on a host that takes containers, and moves back', async () => {
  const hasStarted = removeCgroupsAfterLab();
  const { lab, fleet, agents } = await fleetScene(3, (host, lab) =>
    host.name === 'b' ? {} : takesContainers(host, lab),
  );
  hasStarted(lab);
  const [a, , c] = lab.hosts as [Host, Host, Host];
  const id = await startContainer(lab, 'macvlan', { heap: 8 });
  await verified(lab);
  const checkpoint = { every: 1000, keep: 2 };
  await (await fleet.run({ name: 'box', container: id, checkpoint }, { on: 'a' })).result();
  // Host b takes checkpoints, but no containers.
  const isThere = async () =>
    (await fleet.workloads())[0]?.checkpoint?.hosts.includes('c') ?? false;
  await waitFor(isThere, 'c has a checkpoint');
  expect(await readdir(join(lab.directory, 'b/fleet/received/a')).catch(() => [])).toEqual([]);

  await a.stall();
  const back = join(lab.directory, 'back');
  const hanging = agents[0]?.ask('hang', { until: back });
  await waitFor(async () => (await fleet.hosts())[0]?.isAlive === false, 'a is lost');
  await (await fleet.recover('a', { fenced: true })).result();
  expect(await listContainers(c)).toMatchObject([{ id, status: 'running' }]);
  await verified(lab);

  // The original ends, and what its runtime still knows of it is not in the way of its copy.
  await writeFile(back, '');
  await hanging;
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'cordoned', 'a is cordoned');
  expect(await listContainers(a)).toMatchObject([{ id, status: 'stopped' }]);
  await a.unstall();
  await fleet.uncordon('a');
  await (await fleet.move('box', { to: 'a' })).result();
  expect(await listContainers(a)).toMatchObject([{ id, status: 'running' }]);
  expect(await listContainers(c)).toEqual([]);
  await verified(lab);
  expect(await fleet.workloads()).toMatchObject([
    { name: 'box', host: 'a', kind: 'container', generation: 1, state: 'running' },
  ]);
});
