import { unescapeOctal } from './octal.ts';
import { type Pid, textOf, textOfSync } from './read.ts';

/** A line of /proc/PID/mountinfo. */
export interface Mount {
  readonly id: number;
  /** `major:minor`. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  /** Where it is mounted. */
  readonly point: string;
  readonly type: string;
  /** Options of the file system. */
  readonly options: readonly string[];
}

/** Parses /proc/PID/mountinfo. */
export function parseMountInfo(text: string): Mount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ', 2);
      const [id, , device = '', root = '', point = ''] = before.split(' ');
      const [type = '', , options = ''] = after.split(' ');
      return {
        id: Number(id),
        device,
        root: unescapeOctal(root),
        point: unescapeOctal(point),
        type,
        options: options.split(','),
      };
    });
}

/** Reads /proc/PID/mountinfo; empty if the process is gone or ending. */
export async function readMountInfo(pid: Pid): Promise<Mount[]> {
  return parseMountInfo((await textOf(`/proc/${pid}/mountinfo`, 65_536)) ?? '');
}

/** The same, synchronously. */
export function readMountInfoSync(pid: Pid): Mount[] {
  return parseMountInfo(textOfSync(`/proc/${pid}/mountinfo`) ?? '');
}
