import type { CriuLog } from '../errors.ts';
import type { RestoreStats } from '../images/stats.ts';
import { ProcessHandle } from '../process/process-handle.ts';

/** A process that a restore brought back: the root of its tree. With `asChild` it is our child. */
export class RestoredProcess extends ProcessHandle {
  /** What CRIU measured of the restore. */
  readonly stats: RestoreStats;
  /** CRIU's log of the restore. */
  readonly log: CriuLog | undefined;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;

  /** @internal */
  constructor(
    pid: number,
    pidfd: number | undefined,
    result: { stats: RestoreStats; log: CriuLog | undefined; durationMs: number },
  ) {
    super(pid, pidfd);
    this.stats = result.stats;
    this.log = result.log;
    this.durationMs = result.durationMs;
  }
}
