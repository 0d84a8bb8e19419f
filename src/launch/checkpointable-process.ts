import { ProcessHandle } from '../process/process-handle.ts';
import type { OutsideDescriptor } from './outside-descriptors.ts';

/** A program started by {@link spawnCheckpointable}: a child of this process. */
export class CheckpointableProcess extends ProcessHandle {
  /**
   * CRIU's names of the descriptors whose other end is outside the program, by their number in it:
   * the keys of `inheritFd` at a restore.
   */
  readonly inheritNames: Readonly<Record<number, string>>;
  /** The value of `external` at a dump, with which CRIU accepts these descriptors. */
  readonly external: readonly string[];

  /** @internal */
  constructor(pid: number, pidfd: number, outside: readonly OutsideDescriptor[]) {
    super(pid, pidfd);
    this.inheritNames = Object.fromEntries(outside.map(({ number, name }) => [number, name]));
    this.external = [...new Set(outside.flatMap(({ external }) => external ?? []))];
  }
}
