import { startTimeOf } from './start-time.ts';

/** Processes as they were met: what has taken the pid of one that has ended is not one of them. */
export class KnownProcesses {
  readonly #startTimes = new Map<number, string>();

  constructor(pids: Iterable<number>) {
    this.meet(pids);
  }

  /** Adds those that are there. */
  meet(pids: Iterable<number>): void {
    for (const pid of pids) {
      const startTime = startTimeOf(pid);
      if (startTime !== undefined) this.#startTimes.set(pid, startTime);
    }
  }

  /** The pids of those that are still there, in the order in which they were met. */
  get pids(): number[] {
    return [...this.#startTimes.keys()].filter((pid) => this.has(pid));
  }

  /** Whether this pid is one of them, still. */
  has(pid: number): boolean {
    const startTime = this.#startTimes.get(pid);
    return startTime !== undefined && startTimeOf(pid) === startTime;
  }
}
