import type { ExitStatus } from '../errors.ts';
import type { DumpResult } from '../operations/dump.ts';
import { check } from '../options/check.ts';
import type { LazyDumpContext } from '../postcopy/lazy-dump.ts';
import type { LazyDumpOptions } from '../postcopy/lazy-dump-options.ts';
import type { LazySource } from '../postcopy/lazy-source.ts';
import type { PreparedRound } from './round-preparation.ts';

/** A check of the option `tracking`. */
export const trackingName = check("'auto', 'soft-dirty' or 'compare'", (value) =>
  ['auto', 'soft-dirty', 'compare'].includes(value as string),
);

/** How the rounds of an iteration find the memory that has changed. */
export interface Tracking {
  readonly kind: 'soft-dirty' | 'compare';
  /** Resolves when no more rounds can be made. */
  readonly exited: Promise<ExitStatus>;
  /** True if no more rounds can be made. */
  readonly isOver: boolean;
  /** Copies what has changed since the round before. Its statistics are those of this round. */
  preDump(pid: number, round: PreparedRound): Promise<DumpResult>;
  /** Dumps the processes with what has changed since the last round. */
  dump(pid: number, round: PreparedRound): Promise<DumpResult>;
  /** Dumps the processes, and leaves in them what has changed since the last round. */
  lazyDump(
    pid: number,
    round: PreparedRound & { readonly options: LazyDumpOptions },
    context: LazyDumpContext,
  ): Promise<LazySource>;
  /** Ends the rounds. Idempotent. */
  end(): Promise<unknown>;
}
