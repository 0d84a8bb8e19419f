import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  createRootfsDiff,
  inspectCheckpointArchive,
  openContainer,
  readCheckpointArchive,
  writeCheckpointArchive,
} from '../../../src/containers.ts';
import { readMountInfo } from '../../../src/procfs/mountinfo.ts';
import { COUNTER, countIn, countsBeyond, IMAGE, Podman, rootOf } from '../../helpers/podman.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

test('reads what podman exports, and podman restores what is packed again or was dumped here', async () => {
  const podman = await Podman.start('overlay');
  const id = await podman.start('web');
  const root = await rootOf(podman, 'web');
  await countsBeyond(root, 3);
  const directory = await temporaryDirectory();
  const exported = async (compression: string, ...flags: string[]) => {
    const file = join(directory, `${compression}.exported`);
    const options = ['--export', file, '--compress', compression, ...flags];
    await podman.run('container', 'checkpoint', ...options, 'web');
    return { file, archive: await inspectCheckpointArchive(file) };
  };
  const gzip = await exported('gzip', '--leave-running');
  const none = await exported('none', '--leave-running');
  const beforeDump = await countIn(root);
  const zstd = await exported('zstd');
  expect([gzip, none, zstd].map(({ archive }) => archive.compression)).toEqual([
    ...['gzip', 'none', 'zstd'],
  ]);
  expect(zstd.archive).toMatchObject({
    kind: 'podman',
    container: { id, name: 'web' },
    image: { name: IMAGE, id: expect.stringMatching(/^[0-9a-f]{64}$/) },
    runtime: 'runc',
    deletedFiles: ['/etc/old'],
    ignored: [],
    spec: { process: { args: COUNTER } },
    stats: { pagesWritten: expect.any(Number) },
  });
  expect(Date.parse(zstd.archive.createdAt ?? '')).toBeGreaterThan(Date.now() - 60_000);

  await podman.remove('web');
  const unpacked = await readCheckpointArchive(zstd.file, join(directory, 'unpacked'));
  expect(unpacked.members).toEqual(zstd.archive.members);
  const again = join(directory, 'again.tar.gz');
  await writeCheckpointArchive(again, { directory: unpacked.directory });
  await podman.run('container', 'restore', '--import', again);
  const facts = await podman.inspect('web');
  const restored = `/proc/${facts.State.Pid}/root`;
  const before = await countsBeyond(restored, beforeDump);
  await expectChanges(restored);

  // Of a container that podman has restored, and not checkpointed.
  const spec = JSON.parse(await readFile(facts.OCIConfigPath, 'utf8'));
  const imagesDirectory = join(directory, 'images');
  const rootfsDiff = join(directory, 'rootfs-diff.tar');
  let deletedFiles: readonly string[] = [];
  // Once the container has ended, podman unmounts its root file system.
  const postDump = async () => {
    ({ deletedFiles } = await createRootfsDiff(facts.GraphDriver.Data.MergedDir, rootfsDiff));
  };
  await (await openContainer(client(), id)).dump({ imagesDirectory, hooks: { postDump } });
  expect(deletedFiles).toEqual(['/etc/old']);
  const file = join(directory, 'dumped.tar.zst');
  const config = {
    ...{ id, name: 'web', runtime: 'runc' },
    ...{ rootfsImageID: facts.Image, rootfsImageName: facts.ImageName },
  };
  await writeCheckpointArchive(file, { imagesDirectory, spec, config, rootfsDiff, deletedFiles });
  await podman.remove('web');

  await podman.run('container', 'restore', '--import', file, '--name', 'other');
  const other = await rootOf(podman, 'other');
  await countsBeyond(other, before);
  await expectChanges(other);
  const shared = join(dirname(facts.OCIConfigPath), 'shm');
  expect(await inspectCheckpointArchive(file)).toMatchObject({
    ...{ kind: 'podman', compression: 'zstd', container: { id, name: 'web' } },
    config: { ShmDir: shared, mounts: [shared] },
  });
  await podman.remove('other');
  const mounts = await readMountInfo('self');
  expect(mounts.map(({ point }) => point)).toContain('/dev/shm');
  expect(mounts.filter(({ point }) => point.endsWith('/shm') && point !== '/dev/shm')).toEqual([]);
});

/** What the container has changed in its root file system must be changed in that of its copy. */
async function expectChanges(root: string): Promise<void> {
  const names = await readdir(join(root, 'etc'));
  expect(names).toContain('new');
  expect(names).not.toContain('old');
}
