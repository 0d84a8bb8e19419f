import { unescapeOctal } from './octal.ts';
import { type Pid, textOf, textOfSync } from './read.ts';

/** A line of /proc/PID/mountinfo. */
export interface Mount {
  readonly id: number;
  /** The id of the mount that it is mounted on. */
  readonly parent: number;
  /** `major:minor`. */
  readonly device: string;
  /** The directory of the file system that is mounted. */
  readonly root: string;
  /** Where it is mounted. */
  readonly point: string;
  /** The peer group of a shared mount. */
  readonly shared?: number | undefined;
  /** The peer group from which a slave mount receives mounts and unmounts. */
  readonly master?: number | undefined;
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
      const [id, parent, device = '', root = '', point = '', , ...fields] = before.split(' ');
      const [type = '', , options = ''] = after.split(' ');
      return {
        id: Number(id),
        parent: Number(parent),
        device,
        root: unescapeOctal(root),
        point: unescapeOctal(point),
        ...propagationOf(fields),
        type,
        options: options.split(','),
      };
    });
}

/** The optional fields, such as `shared:1` and `master:2`. */
function propagationOf(fields: readonly string[]): Pick<Mount, 'shared' | 'master'> {
  const group = (name: string) => {
    const field = fields.find((one) => one.startsWith(name));
    return field === undefined ? undefined : Number(field.slice(name.length));
  };
  return { shared: group('shared:'), master: group('master:') };
}

/** Reads /proc/PID/mountinfo; empty if the process is gone or ending. */
export async function readMountInfo(pid: Pid): Promise<Mount[]> {
  return parseMountInfo((await textOf(`/proc/${pid}/mountinfo`, 65_536)) ?? '');
}

/** The mounts of cgroups that this process sees. Every dump looks for them: only their lines are parsed. */
export function readCgroupMountsSync(): Mount[] {
  const lines = (textOfSync('/proc/self/mountinfo') ?? '').split('\n');
  return parseMountInfo(lines.filter((line) => line.includes(' - cgroup')).join('\n'));
}
