import { startTimeOf } from './stat.ts';

/** A set of processes, each known by its pid and start time: a process that reuses a pid is not in it. */
export class KnownProcesses {
  readonly #startTimes = new Map<number, string>();

  constructor(pids: Iterable<number>) {
    this.add(pids);
  }

  /** Adds the processes that exist. */
  add(pids: Iterable<number>): void {
    for (const pid of pids) {
      const startTime = startTimeOf(pid);
      if (startTime !== undefined) this.#startTimes.set(pid, startTime);
    }
  }

  /** The pids of the processes that still exist, in the order in which they were added. */
  get pids(): number[] {
    return [...this.#startTimes.keys()].filter((pid) => this.has(pid));
  }

  /** True if this pid is still the process that was added. */
  has(pid: number): boolean {
    const startTime = this.#startTimes.get(pid);
    return startTime !== undefined && startTimeOf(pid) === startTime;
  }
}
