import { expect, test } from 'vitest';
import { openContainer } from '../../../src/containers.ts';
import { ContainerHost, cgroupsPath } from '../../helpers/migrating-containers.ts';
import { Bundle, COUNTER, countsOn, type RunningContainer } from '../../helpers/runc.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

/** A container that counts, and what it has written. */
async function counting(change: (bundle: Bundle) => Promise<void> | void = () => {}) {
  const bundle = await Bundle.make(COUNTER);
  bundle.config.linux.cgroupsPath = cgroupsPath();
  await change(bundle);
  const running = await bundle.run('counter');
  await countsOn(running);
  return running;
}

async function expectAllNumbers(before: RunningContainer, after: RunningContainer): Promise<void> {
  const lines = [...(await before.lines()), ...(await after.lines())];
  expect(lines.map(Number)).toEqual(lines.map((_, index) => index + 1));
}

test.each(['stop-and-copy', 'pre-copy', 'post-copy', 'hybrid'] as const)(
  '%s moves a container, and only the runtime of its host knows it',
  async (mode) => {
    const criu = client();
    const running = await counting();
    const host = await ContainerHost.start(criu, COUNTER);
    const container = await openContainer(criu, 'counter', { root: running.bundle.root });
    const migration = await container.migrate({
      ...{ ...host.to, mode, directory: await temporaryDirectory() },
    });
    const result = await migration.result;
    const copy = host.container('counter');
    await countsOn(copy);
    await expectAllNumbers(running, copy);
    expect(result.leftovers).toEqual([]);
    expect(running.status()).toBeUndefined();
    expect(copy.status()).toMatchObject({
      ...{ status: 'running', pid: result.pid, bundle: host.bundle.directory },
    });
    expect(copy.exec('ps')).toContain('sh -c i=0');
    copy.call('kill', 'KILL');
    await waitFor(() => copy.status()?.status === 'stopped', 'the copy has ended');
    copy.call('delete');
    expect(await host.leftovers()).toEqual([]);
  },
);
