// Tests of the public types of lazy pages and migrations, compiled as public.ts is.
import {
  type CopyDestination,
  type CopyDestinationOptions,
  type Criu,
  type CriuError,
  copyDestination,
  type DestinationState,
  type DumpOptions,
  type DumpResult,
  type Estimate,
  type ExitStatus,
  type FinalLazyDumpOptions,
  type FrozenTimePrediction,
  type IncomingMigration,
  type IterateOptions,
  type Iteration,
  type LazyDumpOptions,
  type LazyDumpResult,
  type LazyPages,
  type LazyPagesOptions,
  type LazyPagesResult,
  type LazyProgress,
  type LazyRestored,
  type LazyRestoreOptions,
  type LazySource,
  type ListedMigration,
  type ListMigrationsOptions,
  lazyRestore,
  type listMigrations,
  type MigrateOptions,
  type Migration,
  type MigrationAddress,
  type MigrationEvent,
  type MigrationMode,
  type MigrationOffer,
  type MigrationPeer,
  type MigrationPhase,
  type MigrationResolution,
  type MigrationRestoreOptions,
  type MigrationResult,
  type MigrationServer,
  type MigrationServerHooks,
  migrate,
  type Owner,
  type PageServerOfRound,
  type PageServerOptions,
  type PreCopied,
  type PreCopyFunction,
  type PreCopyLimits,
  RateLimit,
  type RefusedOffer,
  type ResolveMigrationOptions,
  type RestoredProcess,
  type RestoreOptions,
  type RestoringMigration,
  type Round,
  type RoundReason,
  resolveMigration,
  type ServeMigrationsOptions,
  type SourceState,
  type StallLimit,
  serveMigrations,
  type TlsOptions,
  type UnresolvedMigrationsOptions,
  type unresolvedMigrations,
  type WorkloadState,
} from 'node-criu';
import { same } from './same.ts';

declare const criu: Criu;

export async function copies(criu: Criu, pid: number): Promise<void> {
  const given: CopyDestinationOptions = { restore: {}, hooks: {} };
  const destination: CopyDestination = copyDestination(given);
  const listen = { host: '::1', port: 0 };
  await criu.serveMigrations({ listen, insecure: true, directory: '/dir', ...destination });
  const migration = await criu.migrateCopy(pid, { to: listen, insecure: true });
  same<typeof migration, Migration>();
}

export async function lazyDumps(): Promise<void> {
  await using source = await criu.lazyDump(1, {
    imagesDirectory: '/images',
    pageServer: { address: '::', port: 0 },
    async confirm(progress) {
      same<typeof progress, LazyProgress>();
      return progress.pagesFetched === progress.pages;
    },
  });
  same<typeof source, LazySource>();
  same<typeof source.port, number>();
  same<typeof source.progress, LazyProgress>();
  const result = await source.done;
  same<typeof result, LazyDumpResult>();
  // It is also the result of a dump.
  const dumped: DumpResult = result;
  same<typeof dumped.stats.pagesLazy, number>();
  same<ReturnType<typeof source.resume>, Promise<void>>();
  same<ReturnType<typeof source.discard>, Promise<void>>();
  same<LazyDumpOptions['pageServer'], Omit<PageServerOptions, 'fd'> | undefined>();
  // @ts-expect-error: the original is what the pages come from
  await criu.lazyDump(1, { imagesDirectory: '/images', leaveRunning: true });
  // @ts-expect-error: it listens
  await criu.lazyDump(1, { imagesDirectory: '/images', pageServer: { fd: 3 } });
}

export async function lazyRestores(): Promise<void> {
  const restored = await criu.lazyRestore({
    imagesDirectory: '/images',
    pageServer: { address: '192.0.2.1', port: 7000 },
    insecure: true,
  });
  same<typeof restored, LazyRestored>();
  same<typeof restored.restored, RestoredProcess>();
  same<typeof restored.pagesDone, Promise<LazyPagesResult>>();
  same<LazyPagesResult['bytes'], number>();
  const other = await lazyRestore('/images', { path: '/usr/sbin/criu', tcpEstablished: true });
  same<typeof other, LazyRestored>();
  // @ts-expect-error: the daemon needs a path
  const wrong: LazyRestoreOptions = { imagesDirectory: 3 };
  await criu.lazyRestore(wrong);
  // @ts-expect-error: the directory is the first argument
  await lazyRestore('/images', { imagesDirectory: '/images' });
  // @ts-expect-error: it is one already
  await criu.lazyRestore({ imagesDirectory: '/images', lazyPages: true });

  const options: LazyPagesOptions = { imagesDirectory: '/images', deadlineMs: 1000 };
  await using daemon = await criu.lazyPages(options);
  same<typeof daemon, LazyPages>();
  same<typeof daemon.ready, Promise<void>>();
  same<typeof daemon.exited, Promise<ExitStatus>>();
  same<typeof daemon.done, Promise<LazyPagesResult>>();
}

export function policies(estimate: Estimate): void {
  same<typeof estimate.estimatedFrozenTimeMs, number>();
  const limits: PreCopyLimits = {
    maxBytes: 1,
    minGain: 0.5,
    async onRound(round, decision) {
      same<typeof round, Round>();
      same<typeof decision.reason, RoundReason>();
      same<RoundReason, 'gain' | 'downtime' | 'no-gain' | 'rounds' | 'bytes' | 'policy'>();
      const soFar: Estimate = decision;
      same<typeof soFar.dirtyBytes, number>();
    },
  };
  same<typeof limits.maxDowntimeMs, number | undefined>();
  const policy: PreCopyFunction = (history) => (history.length > 3 ? 'finish' : 'continue');
  same<
    ReturnType<typeof policy>,
    Awaited<ReturnType<typeof policy>> | Promise<'continue' | 'finish' | 'abort'>
  >();
  // @ts-expect-error: no such decision
  const wrong: PreCopyFunction = async () => 'stop';
  void wrong;
}

export async function iterations(): Promise<void> {
  const pageServer: PageServerOfRound = async ({ index, parentImage }) => {
    same<typeof index, number>();
    same<typeof parentImage, string | undefined>();
    return { port: 7000 + index };
  };
  const options: IterateOptions = { imagesDirectory: '/images', pageServer, lazyPages: true };
  const iteration: Iteration = await criu.iterate(1, options);
  same<ReturnType<typeof iteration.preDump>, Promise<Round>>();
  const last: FinalLazyDumpOptions = { pageServer: { port: 7001 } };
  const source = await iteration.lazyDump(last);
  same<typeof source, LazySource>();
  const { preCopy } = await source.done;
  same<typeof preCopy, PreCopied | undefined>();
  const predicted: FrozenTimePrediction | undefined = preCopy;
  void predicted;
  // @ts-expect-error: the argument is required
  await criu.iterate(1, { lazyPages: true });
}

export async function migrations(tls: TlsOptions): Promise<void> {
  const options: MigrateOptions = {
    to: { host: '192.0.2.2', port: 7000 },
    tls,
    mode: 'hybrid',
    policy: (history) => (history.length < 3 ? 'continue' : 'finish'),
    dump: { tcpEstablished: true },
    async switchOver() {},
    switchBack() {},
    signal: AbortSignal.timeout(1000),
    hooks: { phase: async (phase) => same<typeof phase, MigrationPhase>() },
  };
  const migration = migrate(1, options);
  same<typeof migration, Migration>();
  same<MigrateOptions['stallMs'], StallLimit['stallMs']>();
  same<typeof migration.id, string>();
  for await (const event of migration) {
    same<typeof event, MigrationEvent>();
    same<typeof event.phase, MigrationPhase>();
    same<typeof event.bytes, number | undefined>();
    same<typeof event.mode, MigrationMode | undefined>();
  }
  same<ReturnType<typeof migration.cancel>, Promise<void>>();
  const result = await migration.result;
  same<typeof result, MigrationResult>();
  same<typeof result.mode, 'stop-and-copy' | 'pre-copy' | 'post-copy' | 'hybrid'>();
  same<typeof result.phases, Readonly<Partial<Record<MigrationPhase, number>>>>();
  same<MigrateOptions['policy'], PreCopyLimits | PreCopyFunction | undefined>();
  same<MigrateOptions['dump'], Partial<DumpOptions> | undefined>();
  same<MigrateOptions['metadata'], unknown>();
  same<MigrateOptions['addresses'], readonly MigrationAddress[] | undefined>();
  const rateLimit = new RateLimit(1000);
  migrate(1, { ...options, rateLimit });
  same<typeof rateLimit.bytesPerSecond, number>();
  migrate(1, { ...options, addresses: ['192.0.2.9/32', { address: '::1/128', device: 'eth0' }] });
  // @ts-expect-error: `to` is required
  migrate(1, { tls });
  // @ts-expect-error: no such mode
  migrate(1, { to: { host: '::1', port: 1 }, mode: 'lazy' });
  // @ts-expect-error: ca, cert and key are required
  const half: TlsOptions = { ca: '/ca.pem', cert: '/cert.pem' };
  void half;
}

export async function resolutions(options: ResolveMigrationOptions): Promise<void> {
  const resolution = await resolveMigration('id', { ...options, destinationIsDead: true });
  same<typeof resolution, MigrationResolution>();
  same<typeof resolution.owner, Owner>();
  same<Owner, 'source' | 'destination' | 'undecided'>();
  same<typeof resolution.source, SourceState>();
  same<typeof resolution.destination, DestinationState | undefined>();
  same<typeof resolution.workload, WorkloadState>();
  same<typeof resolution.copy, number | undefined>();
  same<Parameters<typeof unresolvedMigrations>[0], UnresolvedMigrationsOptions | undefined>();
  same<typeof resolution.done, 'resumed' | 'ended' | 'nothing'>();
  same<typeof resolution.pid, number | undefined>();
  same<typeof resolution.remedy, string | undefined>();
  same<typeof resolution.reachable, boolean | undefined>();
  same<typeof resolution.remaining, readonly string[]>();
  same<ReturnType<typeof unresolvedMigrations>, Promise<string[]>>();
  same<Parameters<typeof listMigrations>[0], ListMigrationsOptions | undefined>();
  same<ReturnType<typeof listMigrations>, Promise<ListedMigration[]>>();
}

export async function servers(options: ServeMigrationsOptions): Promise<void> {
  await using server = await serveMigrations({
    ...options,
    listen: { host: '0.0.0.0', port: 7000, pagePort: 7001 },
    directory: '/var/lib/node-criu',
    maxMigrations: 4,
    maxBandwidth: 1e9,
    maxStoredBytes: 2 ** 40,
    metrics: { port: 9464 },
    allowAddresses: ['192.0.2.0/24', { address: 'fd00::/8', device: 'eth0' }],
    restore: async (offer, peer) => {
      same<typeof offer, MigrationOffer>();
      same<typeof peer, MigrationPeer>();
      return { shellJob: true };
    },
    authorize(offer, peer) {
      same<typeof offer, MigrationOffer>();
      same<typeof peer, MigrationPeer>();
      same<typeof offer.memoryBytes, number>();
      return peer.name === 'host';
    },
    hooks: {
      changed: (migration) => same<typeof migration, IncomingMigration>(),
      refused: (refused) => same<typeof refused, RefusedOffer>(),
      async beforeRestore(restoring) {
        same<typeof restoring, RestoringMigration>();
        const { id, offer, peer, imagesDirectory } = restoring;
        same<typeof imagesDirectory, string>();
        same<typeof offer.metadata, unknown>();
        same<typeof id, string>();
        same<typeof offer, MigrationOffer>();
        same<typeof peer, MigrationPeer>();
      },
      afterRestore: ({ pid }) => same<typeof pid, number>(),
      afterMigration: (migration) => same<typeof migration, IncomingMigration>(),
    },
  });
  same<typeof server, MigrationServer>();
  same<typeof server.migrations, readonly IncomingMigration[]>();
  same<typeof server.metricsPort, number | undefined>();
  same<ReturnType<typeof server.drain>, void>();
  same<IncomingMigration['state'], DestinationState>();
  same<MigrationRestoreOptions, Partial<RestoreOptions>>();
  same<ServeMigrationsOptions['hooks'], MigrationServerHooks | undefined>();
  same<ReturnType<typeof server.close>, Promise<void>>();
  // @ts-expect-error: directory is required
  await serveMigrations({ listen: { host: '::1', port: 0 }, insecure: true });
}

export function failures(error: CriuError): void {
  if (error.code === 'ERR_CRIU_MIGRATION_UNRESOLVED') return;
  if (error.code === 'ERR_CRIU_LAZY_PAGES') return;
}
