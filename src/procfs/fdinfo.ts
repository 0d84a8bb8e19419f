import { kernelDevice } from './device.ts';
import { type Pid, textOf } from './read.ts';

/** A file that an inotify or fanotify descriptor watches. */
export interface Watch {
  readonly inode: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Undefined if the file system has no file handles. */
  readonly handle: { readonly type: number; readonly bytes: Uint8Array } | undefined;
}

/** The fields of /proc/PID/fdinfo/FD that are used here. */
export interface FdInfo {
  /** As open(2) and F_GETFL have them. */
  readonly flags: number;
  /** The id of the mount. */
  readonly mount: number;
  readonly locks: readonly string[];
  readonly watches: readonly Watch[];
  /** Of a pidfd: the process, -1 if it is gone. */
  readonly process: number | undefined;
  /** Of a terminal's master: the number of its slave. */
  readonly terminal: number | undefined;
  /** Of a BPF map: its type. */
  readonly mapType: number | undefined;
}

/** Parses /proc/PID/fdinfo/FD. */
export function parseFdInfo(text: string): FdInfo {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1];
  const number = (name: string) => {
    const value = field(name);
    return value === undefined ? undefined : Number(value);
  };
  return {
    flags: Number.parseInt(field('flags') ?? '0', 8),
    mount: number('mnt_id') ?? -1,
    locks: [...text.matchAll(/^lock:\s*\d+:\s*(.*)$/gm)].map(([, lock = '']) => lock),
    watches: parseWatches(text),
    process: number('Pid'),
    terminal: number('tty-index'),
    mapType: number('map_type'),
  };
}

const watch =
  /^(?:inotify wd:\w+|fanotify) ino:(\w+) sdev:(\w+)[^\n]*?(?:fhandle-bytes:\w+ fhandle-type:(\w+) f_handle:(\w*))?$/gm;

function parseWatches(text: string): Watch[] {
  return [...text.matchAll(watch)].map(([, inode = '', device = '', type, bytes]) => ({
    inode: Number.parseInt(inode, 16),
    device: kernelDevice(Number.parseInt(device, 16)),
    handle:
      type === undefined || bytes === undefined
        ? undefined
        : { type: Number.parseInt(type, 16), bytes: Buffer.from(bytes, 'hex') },
  }));
}

/** Reads /proc/PID/fdinfo/FD; undefined if the descriptor is closed. */
export async function readFdInfo(pid: Pid, fd: number): Promise<FdInfo | undefined> {
  const text = await textOf(`/proc/${pid}/fdinfo/${fd}`);
  return text === undefined ? undefined : parseFdInfo(text);
}
