import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  applyRootfsDiff,
  inspectCheckpointArchive,
  readCheckpointImage,
  writeCheckpointArchive,
  writeCheckpointImage,
} from '../../../src/containers.ts';
import { Containerd, IMAGE } from '../../helpers/containerd.ts';
import { COUNTER, countIn, countsBeyond } from '../../helpers/podman.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

test('reads what ctr has checkpointed, and ctr restores what is written', async () => {
  const containerd = await Containerd.start();
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory, name);
  await containerd.start('web', COUNTER);
  const root = await containerd.rootOf('web');
  await countsBeyond(root, 3);
  const beforeDump = await countIn(root);
  const theirs = 'localhost/theirs:1';
  const parts = ['--task', '--rw', '--image'];
  await containerd.ctr('containers', 'checkpoint', ...parts, 'web', theirs);
  const all = ['--skip-manifest-json', '--all-platforms'];
  await containerd.ctr('images', 'export', ...all, at('theirs.tar'), theirs);
  await containerd.remove('web');

  const unpacked = await readCheckpointImage(at('theirs.tar'), at('unpacked'));
  expect(unpacked).toMatchObject({
    ...{ kind: 'containerd', image: { name: IMAGE }, runtime: 'io.containerd.runc.v2' },
    spec: { process: { args: COUNTER } },
  });
  expect(await inspectCheckpointArchive(at('theirs.tar'))).toMatchObject({
    ...{ kind: 'containerd', members: unpacked.members },
  });
  // The changes are a layer, with a whiteout for what was removed.
  await mkdir(at('rootfs/etc'), { recursive: true });
  await writeFile(at('rootfs/etc/old'), '');
  await applyRootfsDiff(at('rootfs'), unpacked.rootfsDiff, unpacked.deletedFiles);
  expect(await readdir(at('rootfs/etc'))).toEqual(['new']);

  // As if podman had made the archive: with a list of what was removed.
  await cp(at('unpacked'), at('listed'), { recursive: true });
  await writeFile(at('listed/deleted.files'), '["/tmp"]');
  await writeCheckpointArchive(at('listed.tar.gz'), { directory: at('listed') });
  const ours = 'localhost/ours:1';
  await writeCheckpointImage(at('listed.tar.gz'), at('ours.tar'), {
    ...{ name: ours, format: 'containerd' },
  });
  await containerd.ctr('images', 'import', '--no-unpack', '--all-platforms', at('ours.tar'));
  containerd.removeAfterTest('again');
  await containerd.ctr('containers', 'restore', '--live', '--rw', 'again', ours);
  const restored = await containerd.rootOf('again');
  await countsBeyond(restored, beforeDump);
  const names = await readdir(join(restored, 'etc'));
  expect(names).toContain('new');
  expect(names).not.toContain('old');
  expect(await readdir(restored)).not.toContain('tmp');
});
