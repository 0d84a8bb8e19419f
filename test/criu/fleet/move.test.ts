import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { Fleet } from '../../../src/fleet.ts';
import { buildLibrary } from '../../helpers/built.ts';
import { startLab } from '../../helpers/lab.ts';
import { waitFor } from '../../helpers/workload.ts';
import { startFleet } from '../../lab/fleet.mjs';
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

/** A server with the lab's service address, which a client of the lab asks. */
function webServer(options: Parameters<typeof nodeServer>[0] = {}) {
  const { file, args } = nodeServer({ heap: 8, ...options });
  return { command: [file, ...args], dump: { networkLock: 'nftables' } } as const;
}

test('a server is started, moves with its address, and its client stays connected', async () => {
  const { lab, fleet } = await scene(2);
  const output = join(lab.directory, 'web.log');
  const run = await fleet.run(
    { name: 'web', ...webServer(), output, addresses: [`${lab.serviceAddress}/32`] },
    { on: 'a' },
  );
  expect(await run.result()).toMatchObject({ kind: 'run', state: 'done' });
  await waitFor(async () => (await readFile(output, 'utf8')).includes('ready'), 'it listens');
  const client = await startClient(lab);
  await client.measure();
  const move = await fleet.move('web', { to: 'b' });
  const view = await move.result();
  expect(view).toMatchObject({ state: 'done', steps: [{ workload: 'web', from: 'a', to: 'b' }] });
  await client.answersOn();
  const report = await client.ask('stop');
  expect(report).toMatchObject({ connections: 1, faults: [] });
  expect(await client.ask('get', { path: '/verify' })).toMatchObject({ ok: true });
  expect(await fleet.workloads()).toMatchObject([{ name: 'web', host: 'b', state: 'running' }]);
});
