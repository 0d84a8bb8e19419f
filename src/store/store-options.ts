import type { Criu } from '../criu.ts';
import type { DumpOptions, DumpResult } from '../operations/dump.ts';
import type { RestoreOptions } from '../operations/restore.ts';
import { check, either, required, type Shape } from '../options/check.ts';
import { flag, integer, pid } from '../options/kinds.ts';
import type { RetentionRules } from './retention.ts';
import { NAME } from './store-directory.ts';

/** Options of a {@link CheckpointStore}. */
export interface CheckpointStoreOptions {
  /** The client that makes and restores checkpoints. Default: one of its own, which it closes. */
  criu?: Criu;
}

/** What dumps itself into a store: a container of `node-criu/containers`, for example. */
export interface CheckpointTarget {
  /** The pid of the root process. */
  readonly pid: number;
  /** Dumps it, as {@link Criu.dump} does with the pid. */
  dump(options: DumpOptions): Promise<DumpResult>;
}

/** Options of a dump that a store sets itself, or that need another directory. */
const RESERVED = [
  ...['imagesDirectory', 'parentImage', 'trackMem', 'overwrite', 'manifest', 'keepFailed'],
  ...['pageServer', 'lazyPages', 'stream', 'statusFd', 'autoDedup', 'configFile', 'insecure'],
] as const satisfies readonly (keyof DumpOptions)[];

/** Options of {@link CheckpointStore.checkpoint}: a name, and those of a dump. */
export interface StoredDumpOptions extends Omit<DumpOptions, (typeof RESERVED)[number]> {
  /**
   * What the checkpoint is of, such as `web`: 1 to 100 letters, digits, dots, dashes and underscores, of which the
   * first is a letter or digit.
   */
  name: string;
  /**
   * Write only the memory that has changed since the newest checkpoint with this name, if that is of the same
   * process; it then stays as long as this one. Default false. See `parentImage` of {@link DumpOptions}.
   */
  incremental?: boolean;
}

/** Options of {@link CheckpointStore.restore}: those of a restore. */
export type StoredRestoreOptions = Omit<RestoreOptions, 'imagesDirectory'>;

/** Options of {@link CheckpointStore.list} and {@link CheckpointStore.size}. */
export interface ListCheckpointsOptions {
  /** Only the checkpoints with this name. Default: all. */
  name?: string;
}

/** Options of {@link CheckpointStore.prune}: at least one rule. */
export interface PruneOptions extends RetentionRules, ListCheckpointsOptions {
  /** Only report what would be removed. Default false. */
  dryRun?: boolean;
}

const name = check(
  '1 to 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
  (value) => typeof value === 'string' && NAME.test(value),
);
export const checkpointTarget = either(
  pid,
  check('an object with a pid and a dump method, such as an open container', (value) => {
    const target = (value ?? {}) as Partial<CheckpointTarget>;
    return Number.isInteger(target.pid) && typeof target.dump === 'function';
  }),
);
const amount = check('a number of at least 0', (value) => typeof value === 'number' && value >= 0);

export const dumpShape: Shape<{ name: string; incremental: boolean | undefined }> = {
  name: required(name),
  incremental: flag,
};
export const listShape: Shape<ListCheckpointsOptions> = { name };
export const pruneShape: Shape<PruneOptions> = {
  ...{ name, dryRun: flag, keepLast: integer(0, Number.MAX_SAFE_INTEGER) },
  ...{ keepWithin: amount, maxBytes: amount },
};
export const reserved: readonly string[] = RESERVED;
