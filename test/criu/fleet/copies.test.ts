import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localFleet } from '../../helpers/fleets.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test('copies of a template start on hosts that have it, and stay there in a drain', async () => {
  const imagesDirectory = join(await temporaryDirectory(), 'template');
  await client().template('sh', ['-c', 'echo up; while sleep 1; do :; done'], {
    ...{ imagesDirectory, ready: { line: 'up' } },
  });
  const { fleet, join: joinFleet } = await localFleet();
  await joinFleet({ name: 'a' });
  await joinFleet({ name: 'b' });
  const names = ['one', 'two'];
  for (const name of names) {
    await (await fleet.run({ name, template: imagesDirectory }, { on: 'a' })).result();
  }
  const copies = await fleet.workloads();
  expect(copies).toMatchObject(names.map((name) => ({ name, kind: 'copy', state: 'running' })));
  const missing = await fleet.run({ name: 'three', template: '/nowhere' });
  expect(await missing.ended()).toMatchObject({
    steps: [{ state: 'failed', message: expect.stringContaining('/nowhere') }],
  });
  const drain = await (await fleet.drain('a')).ended();
  expect(drain).toMatchObject({ steps: [], unplaced: names });
  const [stays] = (await fleet.planMove('one')).unplaced;
  expect(stays?.reason).toMatch(/copy of a template: start another one/);
  for (const { pid } of copies) process.kill(pid, 'SIGKILL');
  // Nothing that runs is left.
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'drained', 'a is drained');
});
