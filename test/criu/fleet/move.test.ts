import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { Fleet, type ProgramWorkload, type RunOptions } from '../../../src/fleet.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startLab } from '../../helpers/lab.ts';
import { waitFor } from '../../helpers/workload.ts';
import { startFleet } from '../../lab/fleet.mjs';
import type { Lab } from '../../lab/hosts.mjs';
import { nodeServer, startClient } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

async function scene(hosts: number) {
  const lab = await startLab(hosts);
  const { connection, redis, ...others } = await startFleet(lab);
  onTestFinished(() => redis.stop());
  const fleet = await Fleet.connect(connection);
  onTestFinished(() => fleet.close());
  return { lab, redis, fleet, ...others };
}

/** Starts a server with an address of its own on host a, and a client that keeps one connection to it. */
async function startWeb(
  { lab, fleet }: { readonly lab: Lab; readonly fleet: Fleet },
  index: number,
  more: Partial<ProgramWorkload> = {},
  options: RunOptions = { on: 'a' },
) {
  const name = `web-${index}`;
  const address = `10.77.0.${100 + index}`;
  const output = join(lab.directory, `${name}.log`);
  if (index > 0) await lab.a.ip(`addr add ${address}/32 dev eth0`);
  const { file, args } = nodeServer({ heap: 8, host: address });
  const operation = await fleet.run(
    {
      ...{ name, command: [file, ...args], output, addresses: [`${address}/32`] },
      dump: { networkLock: 'nftables' },
      ...more,
    },
    options,
  );
  await operation.result();
  await waitFor(async () => (await readFile(output, 'utf8')).includes('ready'), `${name} is ready`);
  const client = await startClient(lab, address);
  await client.measure();
  return {
    name,
    /** Checks that no answer was lost, and that the memory is right. */
    async check() {
      await client.answersOn();
      expect(await client.ask('stop')).toMatchObject({ connections: 1, faults: [] });
      expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
    },
  };
}

test('a server moves with its address, its client stays connected, and names and hosts are checked', async () => {
  const { lab, fleet } = await scene(2);
  const web = await startWeb({ lab, fleet }, 0);
  expect(await failureOf(fleet.move('web-9'))).toMatchObject({ code: 'ERR_CRIU_FLEET' });
  expect(await failureOf(fleet.move('web-0', { to: 'z' }))).toMatchObject({
    message: expect.stringContaining('there is no host'),
  });
  const again = fleet.run({ name: 'web-0', command: ['true'] });
  expect(await failureOf(again)).toMatchObject({ message: 'run: a has a workload web-0' });
  const move = await fleet.move('web-0');
  const view = await move.result();
  expect(view).toMatchObject({ state: 'done', steps: [{ workload: 'web-0', from: 'a', to: 'b' }] });
  await web.check();
  expect(await fleet.workloads()).toMatchObject([{ name: 'web-0', host: 'b', state: 'running' }]);
  expect(await fleet.operations()).toMatchObject([{ kind: 'move' }, { kind: 'run' }]);
});

test('a drain moves each workload once, to hosts that the plan names, and nothing new comes', async () => {
  const { lab, fleet } = await scene(4);
  const apart = { labels: { app: 'web' }, placement: { antiAffinity: { app: 'web' } } };
  const webs = [
    await startWeb({ lab, fleet }, 0, apart),
    // Two of one label may not be on one host: they are put there one after the other.
    await startWeb({ lab, fleet }, 1, { labels: { app: 'other' } }),
    await startWeb({ lab, fleet }, 2),
    await startWeb({ lab, fleet }, 3),
  ];
  const plan = await fleet.planDrain('a');
  expect(plan.moves.map(({ workload }) => workload).sort()).toEqual(webs.map(({ name }) => name));
  const drain = await fleet.drain('a');
  const refused = failureOf(fleet.run({ name: 'late', command: ['sleep', '60'] }, { on: 'a' }));
  expect(await refused).toMatchObject({ code: 'ERR_CRIU_FLEET_NO_HOST' });
  const view = await drain.result();
  expect(view.unplaced).toEqual([]);
  expect(view.steps.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done']);
  for (const web of webs) await web.check();
  const workloads = await fleet.workloads();
  expect(workloads.map(({ name, state }) => ({ name, state }))).toEqual(
    webs.map(({ name }) => ({ name, state: 'running' })),
  );
  expect(workloads.map(({ host }) => host)).not.toContain('a');
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'drained', 'a is drained');
  await fleet.undrain('a');
  expect((await fleet.hosts())[0]).toMatchObject({ name: 'a', state: 'ready' });
});
