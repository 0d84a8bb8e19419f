import { beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { failureOf } from '../../helpers/failures.ts';
import { fleetScene, startWeb } from '../../helpers/fleet-lab.ts';
import { sample } from '../../helpers/sample.ts';
import { waitFor } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

test('a server moves with its address, its client stays connected, and names and hosts are checked', async () => {
  const scene = await fleetScene(2);
  const { fleet } = scene;
  const web = await startWeb(scene, 0);
  expect(await failureOf(fleet.move('web-9'))).toMatchObject({ code: 'ERR_CRIU_FLEET' });
  expect(await failureOf(fleet.move('web-0', { to: 'z' }))).toMatchObject({
    message: expect.stringContaining('there is no host'),
  });
  const again = fleet.run({ name: 'web-0', command: ['true'] });
  expect(await failureOf(again)).toMatchObject({ message: 'run: a has a workload web-0' });
  const move = await fleet.move('web-0');
  const view = await move.result();
  expect(view).toMatchObject({ state: 'done', steps: [{ workload: 'web-0', from: 'a', to: 'b' }] });
  await web.check('b');
  expect(await fleet.workloads()).toMatchObject([{ name: 'web-0', host: 'b', state: 'running' }]);
  expect(await fleet.operations()).toMatchObject([{ kind: 'move' }, { kind: 'run' }]);

  // Its address is on one host only, until it has ended and is forgotten.
  const addresses = [`${web.address}/32`];
  const other = { name: 'other', command: ['sleep', '1000'], addresses };
  const taken = `run: web-0 on b has the address ${addresses[0]}`;
  expect(await failureOf(fleet.run(other))).toMatchObject({ message: taken });
  const { b } = scene.lab;
  const [{ pid = 0 } = {}] = await fleet.workloads();
  await b.kill(pid);
  await waitFor(async () => (await fleet.workloads())[0]?.state === 'ended', 'web-0 has ended');
  expect(await failureOf(fleet.run(other))).toMatchObject({
    message: `${taken}, which has ended: forget it first`,
  });
  await fleet.forget('web-0');
  expect(await b.addressesOf('eth0')).not.toContain(addresses[0]);
  await (await fleet.run(other, { on: 'a' })).result();
  expect(await scene.lab.a.addressesOf('eth0')).toContain(addresses[0]);
});

const SERVERS = sample('servers of a host that is drained', 6, 2);

test('a drain moves each workload once, to hosts that the plan names, and nothing new comes', async () => {
  const scene = await fleetScene(3);
  const { fleet } = scene;
  const webs = [];
  for (let index = 0; index < SERVERS; index++) webs.push(await startWeb(scene, index));
  const plan = await fleet.planDrain('a');
  expect(plan.moves.map(({ workload }) => workload).sort()).toEqual(webs.map(({ name }) => name));
  const drain = await fleet.drain('a');
  const refused = failureOf(fleet.run({ name: 'late', command: ['sleep', '60'] }, { on: 'a' }));
  expect(await refused).toMatchObject({ code: 'ERR_CRIU_FLEET_NO_HOST' });
  const view = await drain.result();
  expect(view.unplaced).toEqual([]);
  expect(view.steps.map(({ state }) => state)).toEqual(webs.map(() => 'done'));
  const workloads = await fleet.workloads();
  expect(workloads.map(({ name, state }) => ({ name, state }))).toEqual(
    webs.map(({ name }) => ({ name, state: 'running' })),
  );
  expect(workloads.map(({ host }) => host)).not.toContain('a');
  for (const [index, web] of webs.entries()) await web.check(workloads[index]?.host ?? '');
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'drained', 'a is drained');
  await fleet.undrain('a');
  expect((await fleet.hosts())[0]).toMatchObject({ name: 'a', state: 'ready' });
});
