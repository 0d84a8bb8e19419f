import type { CriuLog } from '../errors.ts';
import type { RestoreStats } from '../images/stats.ts';
import { ProcessHandle } from '../process/process-handle.ts';

/** The root process of a restored tree. With `asChild` it is a child of this process. */
export class RestoredProcess extends ProcessHandle {
  /** CRIU's statistics of the restore. */
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
