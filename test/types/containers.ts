// Tests of the public types of node-criu/containers, compiled as public.ts is.
import {
  CheckpointStore,
  type Criu,
  type CriuLog,
  type DumpResult,
  type DumpStats,
  type Iteration,
  type LazySource,
  type MigrationEvent,
  type MigrationPeer,
  type MigrationResult,
  type RestoreStats,
} from 'node-criu';
import {
  applyRootfsDiff,
  type CheckpointArchive,
  type Container,
  type ContainerLinks,
  type ContainerManager,
  type ContainerMigration,
  type ContainerOffer,
  containerDestination,
  createRootfsDiff,
  dumpPod,
  exportContainer,
  type formatCheckpointArchive,
  importContainer,
  inspectCheckpointArchive,
  type OfferedContainer,
  openContainer,
  pullCheckpointImage,
  pushCheckpointImage,
  type RestoredContainer,
  readCheckpointArchive,
  readCheckpointImage,
  restoreContainer,
  type UnpackedCheckpointArchive,
  writeCheckpointArchive,
  writeCheckpointImage,
} from 'node-criu/containers';
import { same } from './same.ts';

export async function migrations(container: Container, criu: Criu): Promise<void> {
  const { directory, restore, hooks } = containerDestination({
    directory: '/var/lib/node-criu',
    place: (offer, peer) => {
      same<typeof offer, ContainerOffer>();
      same<typeof peer, MigrationPeer>();
      same<typeof offer.container, OfferedContainer>();
      same<typeof offer.metadata, unknown>();
      return { bundle: '/bundle', network: { eth0: { bridge: 'br0' }, eth1: { parent: 'eth0' } } };
    },
  });
  await criu.serveMigrations({ listen: { host: '::1', port: 0 }, directory, restore, hooks });
  const to = { host: '192.0.2.2', port: 7007 };
  await using migration = await container.migrate({ to, rootfs: 'difference' });
  same<typeof migration, ContainerMigration>();
  same<Awaited<typeof migration.result>, MigrationResult>();
  for await (const event of migration) same<typeof event, MigrationEvent>();
  await container.reconnect();
  await container.migrate({ to, rootfs: { upper: '/upper', lower: ['/lower'] } });
  // @ts-expect-error: no such way
  await container.migrate({ to, rootfs: 'copied' });
}

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

export async function containers(criu: Criu): Promise<void> {
  const container: Container = await openContainer(criu, 'web', {
    root: '/run/runc',
    runtime: 'runc',
  });
  same<typeof container.manager, ContainerManager | undefined>();
  same<typeof container.bundle, string | undefined>();
  const imagesDirectory = '/images';
  same<typeof dumped, DumpResult>();
  const dumped = await container.dump({ imagesDirectory, tcpEstablished: true });
  same<typeof rounds, Iteration>();
  const rounds = await container.iterate({ imagesDirectory });
  same<typeof source, LazySource>();
  const source = await container.lazyDump({ imagesDirectory });
  await container.preflight({ tcpEstablished: true });
  await container.delete();
  const options = { imagesDirectory, id: 'web', bundle: '/srv/web' };
  const links: ContainerLinks = { eth0: { bridge: 'br0' } };
  const restored: RestoredContainer = await restoreContainer(criu, {
    ...{ ...options, stdio: ['ignore', 1, { fd: 2 }], runtime: false },
    hooks: { postRestore: async (pid) => void pid },
    network: links,
  });
  await new CheckpointStore('/store').checkpoint(container, { name: 'web' });
  same<typeof restored.stats, RestoreStats>();
  same<typeof restored.log, CriuLog | undefined>();
  const exported = await exportContainer(container, 'web.tar', {
    name: 'web',
    compression: 'none',
  });
  same<typeof exported.dump, DumpResult>();
  const pod: DumpResult[] = await dumpPod([container], {
    imagesDirectory: ({ id }) => `/images/${id}`,
  });
  same<typeof pod, DumpResult[]>();
  same<typeof imported, RestoredContainer>();
  const imported = await importContainer(criu, 'web.tar', { directory: '/new', rootfs: '/rootfs' });
  // @ts-expect-error: the bundle is missing
  await restoreContainer(criu, { imagesDirectory, id: 'web' });
}

export async function images(signal: AbortSignal): Promise<void> {
  const annotations = { 'org.example.note': 'x' };
  const { digest } = await writeCheckpointImage('a.tar', '/layout', { name: 'a:1', annotations });
  same<typeof digest, string>();
  await readCheckpointImage('/layout', '/new', { name: 'a:1', maxBytes: 1, maxEntries: 2, signal });
  const auth = { username: 'me', password: 'secret' };
  await pushCheckpointImage('a.tar', 'host.example/a:1', { auth, compression: 'zstd', signal });
  const pulled: UnpackedCheckpointArchive = await pullCheckpointImage('localhost/a', '/new', {
    ...{ plainHttp: true, auth: { token: 'x' } },
  });
  same<typeof pulled.annotations, Readonly<Record<string, string>>>();
  // @ts-expect-error: the name is part of the reference
  await pushCheckpointImage('a.tar', 'host.example/a:1', { name: 'a' });
  // @ts-expect-error: the password is missing
  await pullCheckpointImage('host.example/a', '/new', { auth: { username: 'me' } });
}
