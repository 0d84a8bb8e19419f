// Tests of the laboratory that the tests of migrations run in.
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { startLab } from '../../helpers/lab.ts';
import { isAlive, waitFor } from '../../helpers/workload.ts';
import type { Lab } from '../../lab/hosts.mjs';
import {
  migrateByHand,
  type Report,
  startAgent,
  startClient,
  startServer,
  type Verification,
} from '../../lab/programs.mjs';

const inOrder = { connections: 1, faults: [] };

test('a server can be moved there and back by hand, and its client sees only a pause', async () => {
  const { lab, agent, client, pid } = await start({
    heap: 16,
    hot: 4,
    rate: 500,
    worker: true,
    child: true,
  });
  let before = await client.ask<Verification>('get', { path: '/state' });
  for (const [from, to] of [
    [lab.a, lab.b],
    [lab.b, lab.a],
  ] as const) {
    await client.measure();
    const steps = await migrateByHand(lab, pid, from, to);
    expect(Object.keys(steps)).toEqual(['dump', 'move', 'restore']);
    await client.answersOn();
    expect(await client.ask<Report>('stop')).toMatchObject(inOrder);
    expect(await to.outside(pid)).toBeDefined();
    expect(await from.outside(pid)).toBeUndefined();
    const after = await client.ask<Verification>('get', { path: '/verify' });
    expect(after).toMatchObject({ ok: true, wrong: [] });
    expect(after.workerTicks).toBeGreaterThan(before.workerTicks);
    expect(after.childTicks).toBeGreaterThan(before.childTicks);
    before = after;
  }
  expect(await agent.ask('isAlive', { pid })).toBe(true);
});

test('agents migrate a server, and its address moves before the copy runs', async () => {
  const { lab, agent, client, pid } = await start({ heap: 4 });
  await lab.makeServiceBindable();
  const destination = await startAgent(lab.b);
  const images = { imagesDirectory: join(lab.directory, 'images'), tcpEstablished: true };
  await client.measure();
  await agent.ask('dump', { pid, ...images });
  let moved = 0;
  destination.on('preResume', async () => {
    await lab.moveService(lab.a, lab.b);
    moved += 1;
  });
  const restored = await destination.ask('restore', { ...images, hooks: ['preResume'] });
  expect(restored.pid).toBe(pid);
  expect(moved).toBe(1);
  await client.answersOn();
  expect(await client.ask<Report>('stop')).toMatchObject(inOrder);
});

test('a hook that throws here makes the operation of the agent fail', async () => {
  const { lab, agent, client, pid } = await start({});
  agent.on('postDump', () => {
    throw new Error('not now');
  });
  await client.measure();
  const images = { imagesDirectory: join(lab.directory, 'images'), tcpEstablished: true };
  await expect(agent.ask('dump', { pid, ...images, hooks: ['postDump'] })).rejects.toMatchObject({
    facts: { code: 'ERR_CRIU_HOOK', workload: 'running' },
  });
  await client.answersOn();
  expect(await client.ask<Report>('stop')).toMatchObject(inOrder);
});

test('a stalled host loses packets, but no connection', async () => {
  const { lab, client } = await start({});
  await client.measure();
  await lab.a.stall();
  // One more packet may be in transit.
  const before = await client.ask<number>('answers');
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await client.ask<number>('answers')).toBeLessThanOrEqual(before + 1);
  await lab.a.unstall();
  await client.answersOn();
  expect(await client.ask<Report>('stop')).toMatchObject(inOrder);
});

test('cut connections are reset, and the client reports it', async () => {
  const { lab, client } = await start({});
  await client.measure();
  await lab.a.cut(lab.client);
  const connections = async () => (await client.ask<Report>('report')).connections;
  await waitFor(async () => (await connections()) > 1, 'another connection');
  await client.answersOn();
  const { faults } = await client.ask<Report>('stop');
  expect(faults).toContainEqual({ at: expect.any(Number), fault: 'connection: replaced' });
});

test('an agent can be killed alone, and a host with all its processes', async () => {
  const { lab, agent, client, pid } = await start({});
  const server = (await lab.a.outside(pid)) as number;
  await client.measure();
  await agent.kill();
  await client.answersOn();
  expect(await isAlive(server)).toBe(true);
  await lab.a.crash();
  await waitFor(async () => !(await isAlive(server)), 'the server is dead');
  expect((await client.ask<Report>('report')).connections).toBe(1);
});

test('laboratories run side by side, and leave nothing behind', async () => {
  const labs = await Promise.all([started(), started()]);
  const hosts = labs.flatMap(({ a, b, client }) => [a, b, client]);
  const inits = hosts.map(({ init }) => init);
  for (const kind of ['net', 'pid', 'mnt']) {
    const links = [...inits, 'self'].map((pid) => readlink(`/proc/${pid}/ns/${kind}`));
    expect(new Set(await Promise.all(links)).size).toBe(links.length);
  }
  await Promise.all(labs.map((lab) => lab.close()));
  await Promise.all(labs.map((lab) => lab.close()));
  expect(await Promise.all(inits.map(isAlive))).toEqual(inits.map(() => false));
});

/** A laboratory with a server on its first host, and a client. */
async function start(options: Parameters<typeof startServer>[2]) {
  const lab = await started();
  const agent = await startAgent(lab.a);
  const pid = await startServer(lab, agent, options);
  return { lab, agent, pid, client: await startClient(lab) };
}

async function started(): Promise<Lab> {
  await buildLibrary();
  return await startLab();
}
