// Tests of the public types of node-criu/containers, compiled as public.ts is.
import type { DumpStats } from 'node-criu';
import {
  applyRootfsDiff,
  type CheckpointArchive,
  createRootfsDiff,
  type formatCheckpointArchive,
  inspectCheckpointArchive,
  readCheckpointArchive,
  type UnpackedCheckpointArchive,
  writeCheckpointArchive,
} from 'node-criu/containers';
import { same } from './same.ts';

export async function archives(signal: AbortSignal): Promise<void> {
  const options = { maxBytes: 1 << 30, maxEntries: 1000, signal };
  const archive: CheckpointArchive = await inspectCheckpointArchive('a.tar', options);
  same<typeof archive.stats, DumpStats | undefined>();
  same<typeof archive.kind, 'podman' | 'cri-o' | 'containerd' | 'unknown'>();
  same<ReturnType<typeof formatCheckpointArchive>, string>();
  const unpacked: UnpackedCheckpointArchive = await readCheckpointArchive(process.stdin, '/new');
  await applyRootfsDiff('/rootfs', unpacked.rootfsDiff, unpacked.deletedFiles, { devices: true });
  const { deletedFiles } = await createRootfsDiff('/rootfs', 'diff.tar', { lower: ['/a'], signal });
  const { bytes } = await writeCheckpointArchive('b.tar', { directory: unpacked.directory });
  same<typeof bytes, number>();
  const config = { id: 'a', name: 'b', CgroupParent: '/machine' };
  await writeCheckpointArchive('c', {
    ...{ imagesDirectory: '/images', spec: {}, config, deletedFiles, compression: 'zstd' },
  });
  // @ts-expect-error: the name of the container is missing
  await writeCheckpointArchive('c', { imagesDirectory: '/images', spec: {}, config: { id: 'a' } });
  // @ts-expect-error: the target is missing
  await readCheckpointArchive('a.tar');
}
