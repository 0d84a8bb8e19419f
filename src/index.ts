export {
  type CheckOptions,
  type CheckpointOptions,
  type CpuinfoOptions,
  Criu,
  type CriuClientOptions,
  lazyRestore,
  type PageServerStartOptions,
  preflight,
} from './criu.ts';
export type { NotificationTrace, OperationTrace, WorkerTrace } from './diagnostics.ts';
export type { DumpOptions, DumpResult, PreDumpOptions } from './dump.ts';
export {
  CriuError,
  type CriuErrorCode,
  type CriuErrorDetails,
  type CriuLog,
  type ExitStatus,
  type WorkloadState,
} from './errors.ts';
export {
  type DumpStats,
  type RestoreStats,
  readDumpStats,
  readRestoreStats,
} from './images/stats.ts';
export { type ImageFinding, verifyImages } from './images/verify.ts';
export type { LazyPages, LazyPagesOptions, LazyPagesResult } from './lazy/lazy-pages.ts';
export type { LazyRestored, LazyRestoreOptions } from './lazy/lazy-restore.ts';
export type {
  LazyDumpOptions,
  LazyDumpResult,
  LazyProgress,
  LazySource,
} from './lazy/lazy-source.ts';
export type { Estimate } from './migration/estimate.ts';
export type {
  IterateOptions,
  LastLazyRoundOptions,
  LastRoundOptions,
  PageServerOfRound,
  RoundOptions,
} from './migration/iterate-options.ts';
export type { Iteration } from './migration/iteration.ts';
export type { MigrationTls } from './migration/live/credentials.ts';
export type { MigrationEvent, MigrationPhase } from './migration/live/events.ts';
export {
  type MigrateOptions,
  type Migration,
  type MigrationMode,
  type MigrationResult,
  migrate,
} from './migration/live/migrate.ts';
export {
  type MigrationResolution,
  type ResolveMigrationOptions,
  resolveMigration,
  unresolvedMigrations,
} from './migration/live/resolve.ts';
export { type MigrationServer, serveMigrations } from './migration/live/serve.ts';
export type {
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
  ServeMigrationsOptions,
} from './migration/live/serve-options.ts';
export type { DestinationState, Owner, SourceState } from './migration/live/states.ts';
export type { Decision, PreCopyFunction, PreCopyLimits } from './migration/policy.ts';
export { type PreCopy, preCopy } from './migration/pre-copy.ts';
export type { LastRound, PreCopied, Round } from './migration/round.ts';
export type {
  CpuCapability,
  CriuOpts,
  DescriptorLike,
  DirectoryLike,
  Hooks,
  JoinNamespace,
  ManageCgroupsMode,
  Notification,
  OperationOptions,
  PageServerOptions,
  VethPair,
} from './options/types.ts';
export type { PageServer } from './page-server.ts';
export type { PreflightCode, PreflightFinding } from './preflight/finding.ts';
export type { PreflightOptions } from './preflight/options.ts';
export {
  CheckpointableProcess,
  type SpawnCheckpointableOptions,
  type StdioTarget,
  spawnCheckpointable,
} from './process/launch.ts';
export type { ProcessHandle } from './process/process-handle.ts';
export type { RestoredProcess } from './process/restored-process.ts';
export type { RestoreOptions } from './restore.ts';
export type { CriuRequest, CriuRequestType, CriuResponse, CriuWireOpts } from './rpc/messages.ts';
export type { CriuSession, RequestOptions, SessionOptions } from './session.ts';
export type { CriuFeatures, CriuVersion } from './swrk/probe.ts';
