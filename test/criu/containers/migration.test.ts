import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openContainer } from '../../../src/containers.ts';
import {
  ContainerHost,
  expectAllNumbers,
  startCounting,
} from '../../helpers/migrating-containers.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { type Bundle, COUNTER, countsOn } from '../../helpers/runc.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

test.each(['stop-and-copy', 'pre-copy', 'post-copy', 'hybrid'] as const)(
  '%s moves a container, and only the runtime of its host knows it',
  async (mode) => {
    const criu = client();
    const running = await startCounting();
    const host = await ContainerHost.start(criu, COUNTER);
    const container = await openContainer(criu, 'counter', { root: running.bundle.root });
    const directory = await temporaryDirectory();
    const migration = await container.migrate({ ...host.to, mode, directory });
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

/** Mounts an overlayfs over the root directory of a bundle, with its files below. */
async function overlayRootfs({ rootfs }: Bundle): Promise<void> {
  const base = await temporaryDirectory();
  execFileSync('mount', ['-t', 'tmpfs', 'none', base]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', rootfs, base]));
  const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(base, name));
  for (const directory of [upper, work]) await mkdir(directory as string);
  await cp(rootfs, lower as string, { recursive: true, verbatimSymlinks: true });
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, rootfs]);
}

test('a container in a network that it has joined moves with what it has changed in its root', async () => {
  const criu = client();
  const joins = (bundle: Bundle, path: string) => {
    for (const namespace of bundle.config.linux.namespaces)
      if (namespace.type === 'network') namespace.path = path;
  };
  const [network, other] = [await networkNamespace(), await networkNamespace()];
  const common = async (bundle: Bundle) => {
    await writeFile(join(bundle.rootfs, 'etc/old'), 'from the image');
    await mkdir(join(bundle.rootfs, 'data'));
  };
  const running = await startCounting(async (bundle) => {
    joins(bundle, network);
    await common(bundle);
    await overlayRootfs(bundle);
  });
  const removed = join(await temporaryDirectory(), 'removed');
  const host = await ContainerHost.start(criu, COUNTER, {
    async change(bundle) {
      joins(bundle, other);
      await common(bundle);
      bundle.config.hooks = { poststop: [{ path: '/bin/touch', args: ['touch', removed] }] };
    },
  });
  await writeFile(join(running.bundle.rootfs, 'data/new'), 'of the container');
  await rm(join(running.bundle.rootfs, 'etc/old'));
  const container = await openContainer(criu, 'counter', { root: running.bundle.root });
  const migration = await container.migrate({
    ...{ ...host.to, mode: 'stop-and-copy', rootfs: 'difference' },
    directory: await temporaryDirectory(),
  });
  await migration.result;
  const copy = host.container('counter');
  await countsOn(copy);
  await expectAllNumbers(running, copy);
  const { rootfs } = host.bundle;
  expect(await readFile(join(rootfs, 'data/new'), 'utf8')).toBe('of the container');
  expect(existsSync(join(rootfs, 'etc/old'))).toBe(false);
  expect(running.status()).toBeUndefined();
  // Its state is that of its new host.
  const next = await openContainer(criu, 'counter', { root: host.bundle.root });
  expect(await next.preflight()).toEqual([]);
  await next.dump({ imagesDirectory: join(await temporaryDirectory(), 'images') });
  expect(copy.status()).toBeUndefined();
  expect(existsSync(removed)).toBe(true);
});
