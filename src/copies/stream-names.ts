import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { externalFile, externalTerminal } from '../launch/outside-descriptors.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';

/** CRIU's names of the standard streams of a template, in the place of which its copies get others. */
export interface StreamNames {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** CRIU's names of three open files: standard input, output and error. */
export async function namesOfStreams(
  files: readonly { readonly fd: number }[],
): Promise<StreamNames> {
  const names = await Promise.all(files.map(({ fd }) => nameOf(fd)));
  const [stdin = '', stdout = '', stderr = ''] = names;
  return { stdin, stdout, stderr };
}

/** CRIU's name of an open file: `file[mount:inode]` in hexadecimal, or as it names pipes and terminals. */
async function nameOf(fd: number): Promise<string> {
  const stats = fstatSync(fd);
  if (stats.isFIFO()) return `pipe:[${stats.ino}]`;
  if (isatty(fd)) return externalTerminal(stats);
  const info = await readFdInfo('self', fd);
  return externalFile(info?.mount ?? 0, stats.ino);
}

/** Those that the option external has to name: CRIU dumps pipes without being told. */
export function externalStreams(streams: StreamNames): string[] {
  return [...new Set(Object.values(streams))].filter((name: string) => !name.startsWith('pipe'));
}
