// Tests of the public types of options and results, compiled as public.ts is.
import {
  type CheckOptions,
  type CpuCapability,
  type CpuinfoOptions,
  type Criu,
  CriuError,
  type CriuErrorDetails,
  type CriuLog,
  type CriuOpts,
  type CriuRequest,
  type CriuRequestType,
  type CriuSession,
  type CriuWireOpts,
  type DescriptorLike,
  type DirectoryLike,
  type DumpOptions,
  type DumpResult,
  type DumpStats,
  type ExitStatus,
  type FinalDumpOptions,
  type Hooks,
  type IterateOptions,
  type Iteration,
  type JoinNamespace,
  type ManageCgroupsMode,
  type Notification,
  type OperationOptions,
  type PageServerStartOptions,
  type PreCopy,
  type PreflightCode,
  type PreflightFinding,
  type PreflightOptions,
  type ProcessHandle,
  type preCopy,
  type RequestOptions,
  type RestoredProcess,
  type RestoreOptions,
  type RestoreStats,
  type RoundOptions,
  type SessionOptions,
  type SpawnCheckpointableOptions,
  type StdioTarget,
  spawnCheckpointable,
  type VethPair,
} from 'node-criu';
import { same } from './same.ts';

declare const criu: Criu;

export async function optionsOfOperations(
  socket: import('node:net').Socket,
  file: import('node:fs/promises').FileHandle,
): Promise<void> {
  const descriptors: DescriptorLike[] = [3, socket, file];
  const directories: DirectoryLike[] = ['/images', ...descriptors];
  same<NonNullable<CriuOpts['imagesDirectory']>, DirectoryLike>();
  same<DumpOptions['manageCgroupsMode'], ManageCgroupsMode | undefined>();
  same<NonNullable<RestoreOptions['joinNs']>[number], JoinNamespace>();
  same<NonNullable<RestoreOptions['vethPairs']>[number], VethPair>();
  await criu.dump(1, { imagesDirectory: directories[0] ?? 3, cpuCap: ['ins'] });
  const check: CheckOptions = { signal: AbortSignal.timeout(1), gracePeriodMs: 1 };
  await criu.check(check);
  const cpuinfo: CpuinfoOptions = { imagesDirectory: '/images', cpuCap: ['cpu', 'ins'] };
  await criu.cpuinfoDump(cpuinfo);
  const server: PageServerStartOptions = { imagesDirectory: '/images' };
  same<
    ReturnType<Awaited<ReturnType<typeof criu.pageServer>>['log']>,
    Promise<CriuLog | undefined>
  >();
  await criu.pageServer(server);
  const preflight: PreflightOptions = { preDump: true, tcpEstablished: true };
  await criu.preflight(1, preflight);
  const limits: OperationOptions = { deadlineMs: 1 };
  await criu.version(limits);
  // @ts-expect-error: no such capability
  const capability: CpuCapability = 'sse';
  // @ts-expect-error: no such mode
  const mode: ManageCgroupsMode = 'hard';
  // @ts-expect-error: no such namespace
  const namespace: JoinNamespace = { ns: 'mnt', nsFile: 1 };
  // @ts-expect-error: both ends are required
  const pair: VethPair = { containerInterfaceName: 'eth0' };
  void [capability, mode, namespace, pair];
}

export async function rounds(iteration: Iteration, copy: PreCopy): Promise<void> {
  same<ReturnType<typeof preCopy>, PreCopy>();
  same<typeof copy.decision, Parameters<NonNullable<Limits['onRound']>>[1] | undefined>();
  const round: RoundOptions = { deadlineMs: 1 };
  await iteration.preDump(round);
  const last: FinalDumpOptions = { leaveRunning: true };
  await iteration.dump(last);
  same<IterateOptions['preflight'], boolean | undefined>();
  // @ts-expect-error: the iteration sets imagesDirectory
  await iteration.preDump({ imagesDirectory: '/other' });
}
type Limits = Exclude<Parameters<typeof preCopy>[1], undefined | ((...all: never) => unknown)>;

export function results(dumped: DumpResult, restored: RestoredProcess): void {
  same<typeof dumped.stats, DumpStats>();
  same<typeof restored.stats, RestoreStats>();
  same<typeof dumped.log, CriuLog | undefined>();
  same<PreflightFinding['code'], PreflightCode>();
  const handle: ProcessHandle = restored;
  same<typeof handle.exited, Promise<ExitStatus>>();
  // @ts-expect-error: no such finding
  const code: PreflightCode = 'UNKNOWN';
  void code;
}

export function ownErrors(details: CriuErrorDetails): CriuError {
  same<typeof details.errno, number | undefined>();
  same<typeof details.cause, unknown>();
  // @ts-expect-error: no such code
  new CriuError('ERR_OTHER', 'message');
  return new CriuError('ERR_CRIU_FAILED', 'message', { ...details, cause: new Error() });
}

export async function starts(): Promise<void> {
  const targets: StdioTarget[] = ['ignore', '/app.log', 3];
  const options: SpawnCheckpointableOptions = { cwd: '/', stdout: 'ignore', descriptors: { 3: 4 } };
  await spawnCheckpointable('true', [], { ...options, stderr: targets[0] ?? 'ignore' });
  // @ts-expect-error: there is no option stdio
  await spawnCheckpointable('true', [], { stdio: 'inherit' });
}

export async function requests(session: CriuSession): Promise<void> {
  const options: SessionOptions = { descriptors: { 4: 3 } };
  await criu.session(options);
  const hooks: Hooks = { onNotify: (step) => same<typeof step, Notification>() };
  const more: RequestOptions = { hooks, deadlineMs: 1 };
  same<CriuRequest['type'], CriuRequestType>();
  const opts: CriuWireOpts = { images_dir_fd: 4, leave_running: true };
  await session.request({ type: 'DUMP', opts }, more);
  // @ts-expect-error: a session uses CRIU's names
  const wrong: CriuWireOpts = { imagesDirFd: 4 };
  void wrong;
}
