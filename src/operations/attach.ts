import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError } from '../errors.ts';
import { namesOf } from '../launch/outside-descriptors.ts';
import { native } from '../native/index.ts';
import { checkOptions, checkValue } from '../options/check.ts';
import { pid as pidCheck } from '../options/kinds.ts';
import { limits } from '../options/operation-options.ts';
import type { OperationOptions } from '../options/types.ts';
import { outsideDescriptorsOf, type TreeDescriptor } from '../preflight/outside-descriptors.ts';
import { readTree } from '../preflight/tree.ts';
import { openPidfd } from '../process/exit.ts';
import { ProcessHandle } from '../process/process-handle.ts';

const OPERATION = 'attach';
/** How long the other processes of the host are searched for the other ends of pipes, in milliseconds. */
const SEARCH_MS = 10_000;

/** A process that somebody else started: see {@link Criu.attach}. */
export class AttachedProcess extends ProcessHandle {
  /**
   * CRIU's names of the descriptors of the process whose other end is outside its tree, by their number: the keys
   * of `inheritFd` at a restore.
   */
  readonly inheritNames: Readonly<Record<number, string>>;
  /** The value of `external` at a dump, with which CRIU accepts these descriptors of all processes of the tree. */
  readonly external: readonly string[];

  /** @internal */
  constructor(pid: number, pidfd: number, outside: readonly TreeDescriptor[]) {
    super(pid, pidfd);
    this.inheritNames = namesOf(outside.filter((each) => each.pid === pid)).inheritNames;
    this.external = namesOf(outside).external;
  }
}

/** Opens a handle of a running process, and reads what of its tree leads outside. */
export async function attach(pid: number, given: OperationOptions): Promise<AttachedProcess> {
  checkValue(OPERATION, 'pid', pidCheck, pid);
  using cancellation = new Cancellation(OPERATION, checkOptions(OPERATION, given, limits));
  cancellation.throwIfRequested();
  const pidfd = openPidfd(pid);
  try {
    const tree = pidfd && (await readTree(pid, {}, SEARCH_MS, cancellation));
    if (!tree) {
      const message = `${OPERATION}: there is no process ${pid}`;
      throw new CriuError('ERR_CRIU_NO_SUCH_PROCESS', message, { operation: OPERATION, pid });
    }
    return new AttachedProcess(pid, pidfd, outsideDescriptorsOf(tree));
  } catch (error) {
    if (pidfd !== undefined) native().close(pidfd);
    throw error;
  }
}
