import { unescapeOctal } from './octal.ts';
import { type Pid, textOf, textOfSync } from './read.ts';

/** A line of /proc/PID/maps. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Such as `r-xp`: read, write, execute, private or shared. */
  readonly permissions: string;
  readonly offset: number;
  /** `major:minor` of the file system, in hexadecimal digits. */
  readonly device: string;
  /** 0 without a file. */
  readonly inode: number;
  /** The path of the file, or a name such as `[heap]`; empty without either. */
  readonly path: string;
}

const line = /^(\w+)-(\w+) (\S+) (\w+) (\w+:\w+) (\d+)[ ]*(.*)$/gm;

/** Parses /proc/PID/maps. */
export function parseMaps(text: string): Mapping[] {
  return [...text.matchAll(line)].map(
    ([, start = '', end = '', permissions = '', offset = '', device = '', inode, path = '']) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      permissions,
      offset: Number.parseInt(offset, 16),
      device,
      inode: Number(inode),
      path: unescapeOctal(path),
    }),
  );
}

/** Reads /proc/PID/maps; empty for a process that is gone or has given up its memory. */
export async function readMaps(pid: Pid): Promise<Mapping[]> {
  return parseMaps((await textOf(`/proc/${pid}/maps`, 65_536)) ?? '');
}

/** The same, synchronously. */
export function readMapsSync(pid: Pid): Mapping[] {
  return parseMaps(textOfSync(`/proc/${pid}/maps`) ?? '');
}

/** The name of the link in /proc/PID/map_files that leads to a mapped file. */
export function mapFileOf({ start, end }: Mapping): string {
  return `${start.toString(16)}-${end.toString(16)}`;
}

/** Shared memory, and the ring of io_setup(2). */
const memory =
  /^\/(memfd:|anon_hugepage \(deleted\)|dev\/zero \(deleted\)|SYSV|\[aio\] \(deleted\))/;

/** True for the path of memory that looks like a deleted file. CRIU dumps it as memory. */
export function isMemory(path: string): boolean {
  return memory.test(path);
}
