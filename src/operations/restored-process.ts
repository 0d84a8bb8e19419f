import { asCriuError, type CriuLog } from '../errors.ts';
import type { RestoreStats } from '../images/stats.ts';
import { native } from '../native/index.ts';
import { ProcessHandle } from '../process/process-handle.ts';
import { readStatSync } from '../procfs/stat.ts';

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

  /**
   * Makes its process group the foreground group of a terminal, for a job that a shell continues after
   * it was stopped.
   * @param terminal a descriptor of the terminal that controls this process and the restored one; 0 by
   * default
   * @throws CriuError ERR_CRIU_SYSTEM if it is another file, or the process is in another session
   */
  giveTerminal(terminal = 0): void {
    const stat = readStatSync(this.pid);
    if (!stat) return;
    try {
      native().setForeground(terminal, stat.group);
    } catch (error) {
      throw asCriuError('giveTerminal', error);
    }
  }
}
