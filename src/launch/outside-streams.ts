import { type Stats, statSync } from 'node:fs';
import { readDescriptorLinkSync } from '../procfs/descriptors.ts';
import { major } from '../procfs/device.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';
import { readMountInfo } from '../procfs/mountinfo.ts';
import { externalFile } from './outside-descriptors.ts';

/**
 * CRIU's names of the standard streams of a program with mounts of its own that lead out of it, which a restore
 * replaces: pipes, and files on mounts of the host; undefined for those that do not.
 */
export async function outsideStreamsOf(pid: number): Promise<(string | undefined)[]> {
  const mounts = new Set((await readMountInfo(pid)).map(({ id }) => id));
  return await Promise.all([0, 1, 2].map((fd) => nameOf(pid, fd, mounts)));
}

async function nameOf(
  pid: number,
  fd: number,
  mounts: ReadonlySet<number>,
): Promise<string | undefined> {
  const link = readDescriptorLinkSync(pid, fd);
  if (link?.startsWith('pipe:')) return link;
  const stats = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false });
  const info = await readFdInfo(pid, fd);
  if (!stats || !info || mounts.has(info.mount) || isTerminal(stats)) return undefined;
  if (!stats.isFile() && !stats.isCharacterDevice()) return undefined;
  return externalFile(info.mount, stats.ino);
}

/** Terminals are not files to CRIU. Source: the kernel's devices.txt, majors 4, 5 and 136 to 143. */
function isTerminal({ rdev }: Stats): boolean {
  const number = major(rdev);
  return number === 4 || number === 5 || (number >= 136 && number <= 143);
}

/** Those that a dump has to be told of: CRIU dumps pipes by itself. */
export function externalFiles(streams: readonly (string | undefined)[]): string[] {
  return [...new Set(streams)].filter((name) => name?.startsWith('file') === true) as string[];
}
