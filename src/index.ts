export { RateLimit } from './concurrency/rate-limit.ts';
export type { CopyDestination, CopyDestinationOptions } from './copies/arriving-copies.ts';
export type { TemplateCopy } from './copies/copy.ts';
export { copyDestination } from './copies/copy-destination.ts';
export type { CopyDumpOptions } from './copies/copy-dump.ts';
export type {
  CopyEnvironment,
  CopyIdentity,
  CopyNetwork,
  CopyOptions,
  CopyOutput,
  PublishedPort,
} from './copies/copy-options.ts';
export type { TakenPort } from './copies/port-forwarder.ts';
export type { Template } from './copies/template.ts';
export type {
  OpenTemplateOptions,
  TemplateNamespace,
  TemplateOptions,
  TemplateReadiness,
  TemplateWarmUp,
} from './copies/template-options.ts';
export { TemplatePool, type TemplatePoolOptions } from './copies/template-pool.ts';
export { type CheckpointOptions, Criu, type CriuClientOptions } from './criu.ts';
export type { NotificationTrace, OperationTrace, WorkerTrace } from './diagnostics.ts';
export {
  CriuError,
  type CriuErrorCode,
  type CriuErrorDetails,
  type CriuLog,
  type ExitStatus,
  type MigrationRefusal,
  type WorkloadState,
} from './errors.ts';
export type { PreflightCode, PreflightFinding } from './finding.ts';
export type { GuestHandle } from './guest/protocol.ts';
export type { DumpStats } from './images/dump-stats.ts';
export { type RestoreStats, readDumpStats, readRestoreStats } from './images/stats.ts';
export { type ImageFinding, type VerifyImagesOptions, verifyImages } from './images/verify.ts';
export { CheckpointableProcess } from './launch/checkpointable-process.ts';
export { spawnCheckpointable } from './launch/launch.ts';
export type {
  ProgramOptions,
  SpawnCheckpointableOptions,
  StdioTarget,
} from './launch/launch-options.ts';
export type { MigrationServer } from './migration/destination/serve.ts';
export type {
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
  MigrationRestoreOptions,
  MigrationServerHooks,
  RefusedOffer,
  RestoringMigration,
  ServeMigrationsOptions,
} from './migration/destination/serve-options.ts';
export type {
  ListedMigration,
  ListMigrationsOptions,
} from './migration/journal/list-migrations.ts';
export type { MigrationAddress } from './migration/protocol/address-options.ts';
export type { MigrationMode } from './migration/protocol/modes.ts';
export type { StallLimit } from './migration/protocol/stall-limit.ts';
export type { DestinationState, Owner, SourceState } from './migration/protocol/states.ts';
export type { MigrationEvent, MigrationPhase } from './migration/source/events.ts';
export type { Migration } from './migration/source/migrate.ts';
export type { MigrateOptions, MigrationResult } from './migration/source/migrate-options.ts';
export type {
  MigrationResolution,
  ResolveMigrationOptions,
  UnresolvedMigrationsOptions,
} from './migration/source/resolve.ts';
export type { AttachedProcess } from './operations/attach.ts';
export type { CheckOptions } from './operations/check.ts';
export type { CpuinfoOptions } from './operations/cpuinfo.ts';
export type { DumpOptions, DumpResult, PreDumpOptions } from './operations/dump.ts';
export type { CriuVersion } from './operations/known-versions.ts';
export type { PageServer, PageServerStartOptions } from './operations/page-server.ts';
export type { FrozenTimePrediction, PreCopied, RoundReason } from './operations/pre-copied.ts';
export type { CriuFeatures } from './operations/probe.ts';
export type { RestoreOptions } from './operations/restore.ts';
export type { RestoredProcess } from './operations/restored-process.ts';
export type { CriuSession, RequestOptions, SessionOptions } from './operations/session.ts';
export type { Hooks, Notification } from './options/hooks.ts';
export type {
  CpuCapability,
  CriuOpts,
  DescriptorLike,
  DirectoryLike,
  JoinNamespace,
  ManageCgroupsMode,
  OperationOptions,
  PageServerOptions,
  TlsOptions,
  VethPair,
} from './options/types.ts';
export type {
  LazyDumpOptions,
  LazyDumpResult,
  LazyProgress,
} from './postcopy/lazy-dump-options.ts';
export type { LazyPages, LazyPagesOptions, LazyPagesResult } from './postcopy/lazy-pages.ts';
export type { LazyRestored, LazyRestoreOptions } from './postcopy/lazy-restore.ts';
export type { LazySource } from './postcopy/lazy-source.ts';
export type { Estimate } from './precopy/estimate.ts';
export type {
  FinalDumpOptions,
  FinalLazyDumpOptions,
  IterateOptions,
  PageServerOfRound,
  RoundOptions,
} from './precopy/iterate-options.ts';
export type { Iteration } from './precopy/iteration.ts';
export type { Decision, PreCopyFunction, PreCopyLimits } from './precopy/policy.ts';
export { type PreCopy, preCopy } from './precopy/pre-copy.ts';
export type { FinalDump, Round } from './precopy/round.ts';
export type { PreflightOptions } from './preflight/options.ts';
export type { PreflightRestoreOptions } from './preflight/restore/options.ts';
export type { ProcessHandle } from './process/process-handle.ts';
export type { PidOccupant } from './procfs/occupant.ts';
export type {
  CriuRequest,
  CriuRequestType,
  CriuResponse,
  CriuWireOpts,
} from './protocol/messages.ts';
export {
  lazyRestore,
  listMigrations,
  migrate,
  preflight,
  preflightRestore,
  resolveMigration,
  serveMigrations,
  unresolvedMigrations,
} from './short-forms.ts';
export {
  CheckpointStore,
  type StoredCheckpoint,
  type StoredDump,
} from './store/checkpoint-store.ts';
export type { RetentionRules } from './store/retention.ts';
export type {
  CheckpointStoreOptions,
  CheckpointTarget,
  ListCheckpointsOptions,
  PruneOptions,
  StoredDumpOptions,
  StoredRestoreOptions,
} from './store/store-options.ts';
export type { StreamCompression } from './stream/compression.ts';
export { decodeStream } from './stream/decode-stream.ts';
export type { DumpStream, DumpStreamResult } from './stream/dump-stream.ts';
export type { StreamEncryption } from './stream/encryption.ts';
export type { StreamSource } from './stream/receive-stream.ts';
export type {
  DecodeStreamOptions,
  DumpStreamOptions,
  RestoreStreamOptions,
} from './stream/stream-options.ts';
export type { KernelCache } from './worker/kernel-cache.ts';
