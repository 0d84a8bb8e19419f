import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localFleet } from '../../helpers/fleets.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

test('copies of a template start on hosts that have it, and move in a drain, and again from a new agent', async () => {
  const imagesDirectory = join(await temporaryDirectory(), 'template');
  await client().template('sh', ['-c', 'echo up; while sleep 1; do :; done'], {
    ...{ imagesDirectory, ready: { line: 'up' } },
  });
  const { fleet, join: joinFleet } = await localFleet();
  await joinFleet({ name: 'a' });
  const directory = await temporaryDirectory();
  const agent = await joinFleet({ name: 'b', directory });
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
  const where = async () => (await fleet.workloads()).map(({ host, state }) => `${host} ${state}`);
  await (await fleet.drain('a')).result();
  await waitFor(async () => (await fleet.hosts())[0]?.state === 'drained', 'a is drained');
  expect(await where()).toEqual(['b running', 'b running']);
  for (const { pid } of copies) await waitGone(pid);

  // The agent that they have come to is another one now.
  await agent.close();
  await joinFleet({ name: 'b', directory });
  await fleet.undrain('a');
  await (await fleet.drain('b')).result();
  expect(await where()).toEqual(['a running', 'a running']);
  for (const { pid } of await fleet.workloads()) process.kill(pid, 'SIGKILL');
});
