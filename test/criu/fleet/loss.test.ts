import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Fleet } from '../../../src/fleet.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { failureOf } from '../../helpers/failures.ts';
import { fleetScene } from '../../helpers/fleet-lab.ts';
import { waitFor } from '../../helpers/workload.ts';
import type { Lab } from '../../lab/hosts.mjs';
import { nodeServer, startClient } from '../../lab/programs.mjs';

beforeAll(buildLibrary);

const ADDRESS = '10.77.0.100';

/** Starts a server on host a that has checkpoints on schedule. */
async function startWeb(
  { lab, fleet }: { readonly lab: Lab; readonly fleet: Fleet },
  every: number,
) {
  const output = join(lab.directory, 'web.log');
  const { file, args } = nodeServer({ heap: 8, host: ADDRESS });
  const operation = await fleet.run(
    {
      ...{ name: 'web', command: [file, ...args], output, addresses: [`${ADDRESS}/32`] },
      dump: { networkLock: 'nftables' },
      checkpoint: { every, keep: 2 },
    },
    { on: 'a' },
  );
  await operation.result();
  await waitFor(async () => (await readFile(output, 'utf8')).includes('ready'), 'web is ready');
  return await startClient(lab, ADDRESS);
}

const checkpointOf = async (fleet: Fleet) => (await fleet.workloads())[0]?.checkpoint;
const idsIn = async (directory: string) =>
  (await readdir(directory).catch(() => [])).filter((name) => name.startsWith('web.'));

/** Waits until so many different checkpoints have come to these stores. */
async function seenIn(stores: readonly string[], count: number) {
  const seen = new Map<string, { readonly id: string; readonly store: string }>();
  await waitFor(async () => {
    for (const store of stores) {
      for (const id of await idsIn(store)) seen.set(id, { id, store });
    }
    return seen.size >= count;
  }, `${count} checkpoints have come`);
  return [...seen.values()];
}

test('checkpoints come on schedule into the stores of two hosts, and old ones go', async () => {
  const { lab, fleet, redis, agents } = await fleetScene(3);
  const client = await startWeb({ lab, fleet }, 1000);
  await client.measure();
  const stores = ['b', 'c'].map((host) => join(lab.directory, host, 'fleet/received/a'));
  const received = await seenIn(stores, 3);
  const own = join(lab.directory, 'a/fleet/checkpoints');
  // The store of the second host is the same one all the time.
  expect(received.map(({ store }) => store)).toEqual(Array(3).fill(received[0]?.store));
  const [{ store = '' } = {}] = received;
  for (const each of [own, store]) {
    await waitFor(async () => (await idsIn(each)).length <= 2, `old checkpoints go from ${each}`);
  }
  expect((await checkpointOf(fleet))?.hosts).toContain('a');
  expect(await agents[0]?.ask('warnings')).toEqual([]);
  // The workload has noticed nothing, and Redis is not what the agents know it from.
  await redis.stop();
  await redis.start();
  await seenIn([store], 3);
  await client.answersOn();
  expect(await client.ask('stop')).toMatchObject({ connections: 1, faults: [] });
  expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
});

test('a lost host must be fenced, its workloads go on from their checkpoints, and its copies end when it comes back', async () => {
  const { lab, fleet, agents } = await fleetScene(3);
  await startWeb({ lab, fleet }, 1000);
  await (await fleet.run({ name: 'bare', command: ['sleep', '1000'] }, { on: 'a' })).result();
  const storesOf = (from: string) =>
    ['a', 'b', 'c'].map((host) => join(lab.directory, host, 'fleet/received', from));
  await seenIn(storesOf('a'), 1);
  const alive = await failureOf(fleet.recover('a', { fenced: true }));
  expect(alive).toMatchObject({
    code: 'ERR_CRIU_FLEET',
    message: expect.stringMatching(/is alive/),
  });
  expect(await failureOf(fleet.recover('a', {}))).toMatchObject({ option: 'fenced' });
  const old = (await fleet.workloads()).map(({ pid }) => pid);
  expect(old).toHaveLength(2);
  for (const pid of old) expect(await lab.a.outside(pid)).toBeDefined();

  // Cut off, with everything that runs there.
  const [agent] = agents;
  await lab.a.stall();
  const back = join(lab.directory, 'back');
  const hanging = agent?.ask('hang', { until: back });
  const isLost = async (index: number) => (await fleet.hosts())[index]?.isAlive === false;
  await waitFor(() => isLost(0), 'a is lost');
  const failed = fleet.recover('a', { fence: () => Promise.reject(new Error('no power switch')) });
  expect(await failureOf(failed)).toMatchObject({
    message: expect.stringMatching(/no power switch/),
  });
  expect((await fleet.hosts())[0]).toMatchObject({ isFenced: false });
  expect((await fleet.planRecover('a')).unplaced).toMatchObject([
    { workload: 'bare', reason: 'it has no checkpoint' },
  ]);
  const fenced: string[] = [];
  const fence = async (host: string) => void fenced.push(host);
  const operation = await fleet.recover('a', { fence });
  const isDone = async () => (await operation.view()).steps.every(({ state }) => state === 'done');
  await waitFor(isDone, 'web is restarted');
  const view = await operation.view();
  expect(fenced).toEqual(['a']);
  expect(view).toMatchObject({ kind: 'restart', target: 'a', unplaced: ['bare'] });
  const [{ to = '' } = {}] = view.steps;
  const onWeb = async () =>
    (await fleet.workloads()).filter(({ name, host }) => name === 'web' && host !== 'a');
  expect(await onWeb()).toMatchObject([{ host: to, state: 'running', generation: 1 }]);
  const verified = async () => {
    const client = await startClient(lab, ADDRESS);
    const verify = async () => await client.ask('get', { path: '/verify' });
    // The checkpoint may be from before the server listened.
    await waitFor(() => verify().then(Boolean, () => false), 'web answers');
    expect(await verify()).toMatchObject({ ok: true });
  };
  await verified();

  // The old copies end before the host does anything else.
  await writeFile(back, '');
  await hanging;
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'cordoned', 'a is cordoned');
  for (const pid of old) expect(await lab.a.outside(pid)).toBeUndefined();
  expect(await lab.a.addressesOf('eth0')).not.toContain(`${ADDRESS}/32`);
  expect(await agent?.ask('warnings')).toContainEqual(
    expect.stringMatching(/bare.*cordoned.*fenced/),
  );
  await lab.a.unstall();
  await verified();
  await fleet.uncordon('a');
  expect((await fleet.hosts())[0]).toMatchObject({ state: 'ready', isFenced: false });

  // The host that restarted it is lost as well, for good.
  await seenIn(storesOf(to), 1);
  const index = lab.hosts.findIndex(({ name }) => name === to);
  await lab.hosts[index]?.crash();
  await waitFor(() => isLost(index), `${to} is lost`);
  await (await fleet.recover(to, { fenced: true })).result();
  await verified();
  const copies = (await fleet.workloads()).filter(({ host }) => host !== to);
  expect(copies).toMatchObject([{ name: 'web', generation: 2, state: 'running' }]);
});
