import { asCriuError, type CriuLog } from '../errors.ts';
import type { RestoreStats } from '../images/stats.ts';
import {
  namesOf,
  type OutsideDescriptor,
  outsideDescriptors,
} from '../launch/outside-descriptors.ts';
import { native } from '../native/index.ts';
import { openDescriptorOf } from '../options/kinds.ts';
import type { CriuOpts } from '../options/types.ts';
import { ProcessHandle } from '../process/process-handle.ts';
import { readDescriptorLinkSync, readDescriptors } from '../procfs/descriptors.ts';
import { readStatSync } from '../procfs/stat.ts';

/** The root process of a restored tree. With `asChild` it is a child of this process. */
export class RestoredProcess extends ProcessHandle {
  /** CRIU's statistics of the restore. */
  readonly stats: RestoreStats;
  /** CRIU's log of the restore. */
  readonly log: CriuLog | undefined;
  /** Time from the call to the result, in milliseconds. */
  readonly durationMs: number;

  /**
   * CRIU's names of the descriptors that it got through `inheritFd`, by their number: the keys of `inheritFd` at the
   * restore of its next dump.
   */
  readonly inheritNames: Readonly<Record<number, string>>;
  /** The value of `external` at its next dump, with which CRIU accepts these descriptors. */
  readonly external: readonly string[];

  /** @internal */
  constructor(
    pid: number,
    pidfd: number | undefined,
    result: { stats: RestoreStats; log: CriuLog | undefined; durationMs: number },
    inherited: readonly OutsideDescriptor[] = [],
  ) {
    super(pid, pidfd);
    const { inheritNames, external } = namesOf(inherited);
    this.inheritNames = inheritNames;
    this.external = external;
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

/** What the process has of the descriptors that it inherited: those whose other end is outside its tree. */
export async function inheritedBy(
  pid: number,
  inheritFd: CriuOpts['inheritFd'],
): Promise<OutsideDescriptor[]> {
  const fds = Object.values(inheritFd ?? {}).flatMap((like) => openDescriptorOf(like) ?? []);
  if (fds.length === 0) return [];
  const outside = await outsideDescriptors(fds.map((fd) => [fd, fd]));
  const byLink = new Map(
    outside.map((each) => [readDescriptorLinkSync('self', each.number), each]),
  );
  const numbers = await readDescriptors(pid);
  return numbers.flatMap((number) => {
    const found = byLink.get(readDescriptorLinkSync(pid, number));
    return found ? { ...found, number } : [];
  });
}
