import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError, invalid } from '../errors.ts';
import { isInteger } from '../options/kinds.ts';
import { ProcessHandle } from '../process/process-handle.ts';
import { readSockets } from '../procfs/descriptors.ts';
import { readTcpListeners } from '../procfs/net-tcp.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { namesOf, type OutsideDescriptor } from './outside-descriptors.ts';

const OPERATION = 'listening';
const POLL_MS = 20;

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
    const { inheritNames, external } = namesOf(outside);
    this.inheritNames = inheritNames;
    this.external = external;
  }

  /**
   * Resolves once the program or one of its descendants listens on a TCP port.
   * @param signal ends the wait, not the program
   * @throws CriuError ERR_CRIU_PROGRAM_ENDED if the program ends before, ERR_CRIU_ABORTED,
   * ERR_CRIU_INVALID_ARGUMENT
   */
  async listening(port: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (!isInteger(port, 1, 65_535)) {
      throw invalid(OPERATION, 'port', 'an integer from 1 to 65535', port);
    }
    const { pid } = this;
    const details = { operation: OPERATION, pid };
    while (!(await listensOn(pid, port))) {
      // Awaiting `exited` of a program that runs would keep this process running, too.
      if (!this.kill(0)) {
        const exit = await this.exited;
        const how = exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`;
        const message = `${OPERATION}: process ${pid} ended ${how} before it listened on port ${port}`;
        throw new CriuError('ERR_CRIU_PROGRAM_ENDED', message, { ...details, exit });
      }
      await sleep(POLL_MS, undefined, { ...(signal && { signal }) }).catch((cause) => {
        const message = `${OPERATION}: stopped waiting for process ${pid} to listen on port ${port}`;
        throw new CriuError('ERR_CRIU_ABORTED', message, {
          ...details,
          cause: cause.cause ?? cause,
        });
      });
    }
  }
}

/** True if a process of a tree has a socket that listens on a TCP port. */
export async function listensOn(root: number, port: number): Promise<boolean> {
  const listeners = await readTcpListeners(root, port);
  if (listeners.size === 0) return false;
  const sockets = await Promise.all(descendantsOf(root).map(readSockets));
  return sockets.flat().some(({ inode }) => listeners.has(inode));
}
