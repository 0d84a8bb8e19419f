import { randomUUID } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failureOf } from '../../helpers/failures.ts';
import { localFleet } from '../../helpers/fleets.ts';
import { startCounting } from '../../helpers/migrating-containers.ts';
import { Bundle, COUNTER, RunningContainer, removeAfterTest } from '../../helpers/runc.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

test('a container of runc moves to a host that has a bundle for it, and not to one that takes none', async () => {
  const running = await startCounting();
  const bundle = await Bundle.make(COUNTER);
  bundle.config.linux.cgroupsPath = `/node-criu-test-${randomUUID()}`;
  await bundle.write();
  removeAfterTest(bundle, 'counter');
  const bundles = await temporaryDirectory();
  await symlink(bundle.directory, join(bundles, 'counter'));
  const { fleet, join: joinFleet } = await localFleet();
  await joinFleet({ name: 'a' });
  await joinFleet({ name: 'b', containers: { bundles, root: bundle.root } });
  await joinFleet({ name: 'c' });
  const spec = { name: 'web', container: 'counter', root: running.bundle.root };
  expect(await failureOf(fleet.run(spec))).toMatchObject({ option: 'on' });
  await (await fleet.run(spec, { on: 'a' })).result();
  const pid = running.status()?.pid;
  expect(await fleet.workloads()).toMatchObject([{ name: 'web', kind: 'container', pid }]);
  expect(await failureOf(fleet.move('web', { to: 'c' }))).toMatchObject({
    code: 'ERR_CRIU_FLEET_NO_HOST',
    message: expect.stringContaining('c: takes no containers'),
  });
  expect(running.status()).toMatchObject({ status: 'running', pid });
  await (await fleet.move('web', { to: 'b' })).result();
  const copy = new RunningContainer(bundle, 'counter', '/dev/null');
  expect(running.status()).toBeUndefined();
  const [workload] = await fleet.workloads();
  expect(workload).toMatchObject({ host: 'b', kind: 'container', state: 'running' });
  expect(copy.status()).toMatchObject({ status: 'running', pid: workload?.pid });
});
