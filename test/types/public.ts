// Tests of the public types, which are compiled and never run: `npm run lint` compiles them against the
// source, and the package tests against the installed package.
import { tracingChannel } from 'node:diagnostics_channel';
import {
  type AttachedProcess,
  type CheckpointableProcess,
  type CheckpointOptions,
  CheckpointStore,
  type CheckpointStoreOptions,
  type CheckpointTarget,
  type CopyDumpOptions,
  type CopyEnvironment,
  type CopyIdentity,
  type CopyNetwork,
  type CopyOptions,
  type CopyOutput,
  Criu,
  type CriuClientOptions,
  CriuError,
  type CriuErrorCode,
  type CriuFeatures,
  type CriuRequest,
  type CriuResponse,
  type CriuSession,
  type CriuVersion,
  type Decision,
  type DumpOptions,
  type DumpResult,
  type ExitStatus,
  type FinalDump,
  type FinalLazyDumpOptions,
  type GuestHandle,
  type Hooks,
  type ImageFinding,
  type Iteration,
  type KernelCache,
  type LazyDumpResult,
  type ListCheckpointsOptions,
  type MigrationRefusal,
  type NotificationTrace,
  type OpenTemplateOptions,
  type OperationTrace,
  type PageServer,
  type PidOccupant,
  type PreCopied,
  type PreDumpOptions,
  type PreflightFinding,
  type PreflightRestoreOptions,
  type ProgramOptions,
  type PruneOptions,
  type PublishedPort,
  preCopy,
  type preflight,
  type preflightRestore,
  type RestoredProcess,
  type RestoreOptions,
  type RetentionRules,
  type Round,
  type readDumpStats,
  type readRestoreStats,
  type StoredCheckpoint,
  type StoredDump,
  type StoredDumpOptions,
  type StoredRestoreOptions,
  spawnCheckpointable,
  type TakenPort,
  type Template,
  type TemplateCopy,
  type TemplateNamespace,
  type TemplateOptions,
  TemplatePool,
  type TemplatePoolOptions,
  type TemplateReadiness,
  type TemplateWarmUp,
  type VerifyImagesOptions,
  type verifyImages,
  type WorkerTrace,
} from 'node-criu';
import { same } from './same.ts';

declare const criu: Criu;

export async function operations(): Promise<void> {
  const result = await criu.dump(1, { imagesDirectory: '/images', tcpEstablished: true });
  same<typeof result, DumpResult>();
  same<typeof result.stats.frozenTimeMs, number>();
  same<typeof result.stats.pagesWritten, number>();
  same<typeof result.stats.bytesWritten, number>();
  same<typeof result.durationMs, number>();
  same<typeof result.occupiedPids, readonly PidOccupant[] | undefined>();
  same<ReturnType<Criu['preDump']>, Promise<DumpResult>>();
  same<Parameters<Criu['preDump']>, [pid: number, options: PreDumpOptions]>();
  same<Parameters<Criu['checkpoint']>, [pid: number, options: CheckpointOptions]>();

  const restored = await criu.restore({ imagesDirectory: '/images' });
  same<typeof restored, RestoredProcess>();
  same<typeof restored.exited, Promise<ExitStatus>>();
  same<Awaited<typeof restored.exited>['signal'], NodeJS.Signals | null>();
  same<ReturnType<typeof restored.kill>, boolean>();
  restored.kill('SIGTERM');
  restored.kill(0);
  // @ts-expect-error: there is no such signal
  restored.kill('SIGNOTHING');

  same<ReturnType<Criu['version']>, Promise<CriuVersion>>();
  same<CriuVersion['number'], number>();
  same<ReturnType<Criu['features']>, Promise<CriuFeatures>>();
  same<ReturnType<Criu['kernelCache']>, Promise<KernelCache>>();
  same<ReturnType<Criu['keepKernelCache']>, Promise<void>>();
  same<ReturnType<Criu['check']>, Promise<void>>();
  same<ReturnType<Criu['cpuinfoCheck']>, Promise<void>>();
  same<ReturnType<Criu['pageServer']>, Promise<PageServer>>();
  same<ReturnType<Criu['preflight']>, Promise<PreflightFinding[]>>();
  same<ReturnType<typeof preflight>, Promise<PreflightFinding[]>>();
  same<Parameters<Criu['preflightRestore']>, [options: PreflightRestoreOptions]>();
  same<ReturnType<Criu['preflightRestore']>, Promise<PreflightFinding[]>>();
  same<ReturnType<typeof preflightRestore>, Promise<PreflightFinding[]>>();
  same<PreflightFinding['severity'], 'error' | 'warning' | 'info'>();
  same<ReturnType<typeof verifyImages>, Promise<ImageFinding[]>>();
  same<VerifyImagesOptions['deep'], boolean | undefined>();
  same<ReturnType<typeof readDumpStats>, Promise<DumpResult['stats']>>();
  same<ReturnType<typeof readRestoreStats>, Promise<RestoredProcess['stats']>>();

  await using client = new Criu({ path: '/usr/sbin/criu', defaults: { shellJob: true } });
  same<CriuClientOptions['prewarm'], number | undefined>();
  new Criu({ prewarm: 4, kernelCache: true });
  // @ts-expect-error: prewarm is a number
  new Criu({ prewarm: true });
  same<ReturnType<typeof client.close>, Promise<void>>();
}

export async function refusedArguments(): Promise<void> {
  // @ts-expect-error: a pid is a number
  await criu.dump('1', { imagesDirectory: '/images' });
  // @ts-expect-error: the options are required
  await criu.dump(1);
  // @ts-expect-error: the option is a boolean
  await criu.dump(1, { imagesDirectory: '/images', tcpEstablished: 'yes' });
  // @ts-expect-error: no such option
  await criu.dump(1, { imagesDirectory: '/images', tcpEstablishd: true });
  // @ts-expect-error: an option of a restore
  await criu.dump(1, { imagesDirectory: '/images', asChild: true });
  // @ts-expect-error: an option of a dump
  await criu.restore({ imagesDirectory: '/images', leaveRunning: true });
  // @ts-expect-error: no such mode
  await criu.restore({ imagesDirectory: '/images', networkLock: 'ipchains' });
  // @ts-expect-error: no such option
  new Criu({ binary: '/usr/sbin/criu' });
  // @ts-expect-error: close() takes no arguments
  criu.close('now');
}

export async function options(socket: import('node:net').Socket): Promise<void> {
  same<DumpOptions['signal'], AbortSignal | undefined>();
  same<RestoreOptions['deadlineMs'], number | undefined>();
  const file = await import('node:fs/promises').then(({ open }) => open('/images'));
  await criu.dump(1, { imagesDirectory: file, signal: AbortSignal.timeout(1), deadlineMs: 1 });
  await criu.restore({ imagesDirectory: 3, inheritFd: { 'pipe:[1]': socket, 'tty[1]': 4 } });
  const hooks: Hooks = {
    async postDump() {},
    setupNamespaces(pid) {
      same<typeof pid, number>();
    },
    // @ts-expect-error: no such step
    afterDump() {},
  };
  await criu.dump(1, { imagesDirectory: '/images', hooks });
}

export function traces(): void {
  tracingChannel<OperationTrace, OperationTrace>('node-criu:operation').subscribe({
    start({ operation, pid, round }) {
      same<typeof operation, string>();
      same<typeof pid, number | undefined>();
      same<typeof round, number | undefined>();
    },
    end() {},
    asyncStart() {},
    asyncEnd() {},
    error: (trace) => same<typeof trace.operation, string>(),
  });
  same<OperationTrace['error'], CriuError | undefined>();
  same<
    NotificationTrace,
    { readonly script: string; readonly pid?: number; readonly error?: unknown }
  >();
  same<WorkerTrace['exit'], ExitStatus | undefined>();
  same<WorkerTrace['args'], readonly string[]>();
}

export function errors(error: unknown): void {
  if (!(error instanceof CriuError)) return;
  same<typeof error.code, CriuErrorCode>();
  same<typeof error.workload, 'running' | 'stopped' | 'gone' | 'unknown' | undefined>();
  same<typeof error.cancelled, 'refused' | 'killed' | 'disconnected' | undefined>();
  same<typeof error.findings, readonly PreflightFinding[] | undefined>();
  same<typeof error.refusal, MigrationRefusal | undefined>();
  if (error.code === 'ERR_CRIU_UNSUPPORTED_PLATFORM') return;
  // @ts-expect-error: no such code
  if (error.code === 'ERR_CRIU') return;
  // @ts-expect-error: code is readonly
  error.code = 'ERR_CRIU_FAILED';
}

export async function iterations(): Promise<void> {
  await using iteration = await criu.iterate(1, {
    imagesDirectory: '/images',
    tcpEstablished: true,
  });
  same<typeof iteration, Iteration>();
  for await (const round of preCopy(iteration, { maxDowntimeMs: 100, maxRounds: 8 })) {
    same<typeof round, Round>();
  }
  preCopy(iteration, async (history) => {
    same<typeof history, readonly Round[]>();
    return history.length < 3 ? 'continue' : 'finish';
  });
  // @ts-expect-error: no such decision
  preCopy(iteration, () => 'stop');
  same<Decision['action'], 'continue' | 'finish' | 'abort'>();
  same<Awaited<ReturnType<typeof iteration.dump>>, FinalDump>();
  same<Parameters<typeof iteration.lazyDump>, [options?: FinalLazyDumpOptions | undefined]>();
  same<LazyDumpResult['preCopy'], PreCopied | undefined>();
  same<LazyDumpResult['preCopy'], FinalDump['preCopy']>();
  // @ts-expect-error: the iteration sets parentImage
  await iteration.dump({ parentImage: '../0' });
}

export async function programs(): Promise<void> {
  const program = await spawnCheckpointable('node', ['app.js'], { stdout: 'app.log', stdin: 3 });
  same<typeof program, CheckpointableProcess>();
  same<typeof program.pid, number>();
  same<Awaited<ReturnType<Criu['attach']>>, AttachedProcess>();
  same<RestoredProcess['inheritNames'], AttachedProcess['inheritNames']>();
  same<typeof program.inheritNames, Readonly<Record<number, string>>>();
  await criu.dump(program.pid, { imagesDirectory: '/images', external: program.external });
  // @ts-expect-error: the arguments are an array
  await spawnCheckpointable('node', 'app.js');
}

export async function sessions(): Promise<void> {
  await using session = await criu.session({ descriptors: { 4: 0 } });
  same<typeof session, CriuSession>();
  const response = await session.request({ type: 'VERSION' });
  same<typeof response, CriuResponse>();
  same<typeof response.success, boolean>();
  // @ts-expect-error: no such request
  const request: CriuRequest = { type: 'FREEZE' };
  await session.request(request);
}

export async function keep(pid: number): Promise<void> {
  const options: CheckpointStoreOptions = { criu };
  await using store = new CheckpointStore('/var/lib/checkpoints', options);
  const dump: StoredDumpOptions = { name: 'web', leaveRunning: true, incremental: true };
  const target: CheckpointTarget = { pid, dump: (options) => criu.dump(pid, options) };
  const made = await store.checkpoint(target, dump);
  same<typeof made, StoredDump>();
  const used = await store.use(made.id, ({ directory }) => directory);
  same<typeof used, string>();
  same<typeof made.dump, DumpResult>();
  const only: ListCheckpointsOptions = { name: 'web' };
  same<Awaited<ReturnType<typeof store.list>>, StoredCheckpoint[]>();
  await store.list(only);
  const rules: RetentionRules = { keepLast: 3 };
  const prune: PruneOptions = { ...rules, ...only, dryRun: true };
  same<Awaited<ReturnType<typeof store.prune>>, StoredCheckpoint[]>();
  await store.prune(prune);
  const restore: StoredRestoreOptions = { asChild: true };
  same<Awaited<ReturnType<typeof store.restore>>, RestoredProcess>();
  await store.restore(made.id, restore);
  // @ts-expect-error the store sets it
  await store.checkpoint(pid, { name: 'web', imagesDirectory: '/tmp' });
  // @ts-expect-error a name is required
  await store.checkpoint(pid, {});
}

export async function copies(): Promise<void> {
  const ready: TemplateReadiness = { url: 'http://127.0.0.1:8080/' };
  const warmUp: TemplateWarmUp = { url: 'http://127.0.0.1:8080/', requests: 3 };
  const namespaces: TemplateNamespace[] = ['ipc', 'net', 'uts'];
  const program: ProgramOptions = { cwd: '/', uid: 1, gid: 1 };
  const imagesDirectory = '/var/lib/templates/app';
  const reportHandles = (handles: readonly GuestHandle[]) => {
    for (const { kind, detail, stack } of handles) console.log(kind, detail, stack ?? '');
  };
  const options: TemplateOptions = {
    ...{ imagesDirectory, ready, warmUp, namespaces, reportHandles, ...program },
    encryption: { key: new Uint8Array(32) },
  };
  const template = await criu.template('node', ['app.js'], options);
  same<typeof template, Template>();
  same<typeof template.findings, readonly PreflightFinding[]>();
  same<Awaited<ReturnType<typeof criu.openTemplate>>, Template>();
  const opening: OpenTemplateOptions = { encryption: { passphrase: 'of high entropy' } };
  await using opened = await criu.openTemplate(imagesDirectory, opening);
  same<ReturnType<typeof opened.close>, Promise<void>>();
  const port: PublishedPort = { to: 8080 };
  const network: CopyNetwork = '/run/netns/blue';
  const stdout: CopyOutput = 'pipe';
  const into: CopyEnvironment = {
    publish: [port],
    network,
    stdout,
    mergeMemory: true,
    lazyPages: true,
  };
  const who: CopyIdentity = { name: 'blue', env: { TENANT: 'blue', OLD: undefined }, args: ['x'] };
  const both: CopyOptions = { ...into, ...who };
  await using copy = await template.start(both);
  same<typeof copy, TemplateCopy>();
  same<typeof copy.published, readonly TakenPort[]>();
  same<typeof copy.exited, Promise<ExitStatus>>();
  const dump: CopyDumpOptions = { imagesDirectory, leaveRunning: true, ...opening };
  same<ReturnType<typeof copy.dump>, Promise<DumpResult>>();
  await copy.dump(dump);
  const kept: TemplatePoolOptions = { size: 4, ...into };
  await using pool = new TemplatePool(template, kept);
  same<Awaited<ReturnType<typeof pool.take>>, TemplateCopy>();
  // @ts-expect-error what a copy is restored into cannot be changed when it is taken
  await pool.take({ stdout: 'pipe' });
  // @ts-expect-error one of these signs has another type
  await criu.template('node', [], { imagesDirectory: '/tmp/x', ready: { port: '80' } });
}
