/** What /proc/PID/stat tells of a process. */
export interface Stat {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** Device number of the controlling terminal as the kernel encodes it, 0 for none. */
  readonly terminal: number;
  /** The terminal's foreground process group, -1 for none. */
  readonly foreground: number;
}

/** Reads /proc/PID/stat; the name is in parentheses and may hold some itself. */
export function parseStat(text: string): Stat {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const number = (index: number) => Number(fields[index]);
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '?',
    parent: number(1),
    session: number(3),
    terminal: number(4),
    foreground: number(5),
  };
}

/** What /proc/PID/status tells of a process or thread. */
export interface Status {
  readonly state: string;
  readonly threadGroup: number;
  /** The pid of its tracer, 0 for none. */
  readonly tracer: number;
  /** Its pid and its session in each pid namespace, from the reader's own inwards. */
  readonly pids: readonly number[];
  readonly sessions: readonly number[];
  /** Bytes of memory that a dump writes: anonymous, swapped out, and shared without a file. */
  readonly anonymous: number;
  readonly swapped: number;
  readonly shared: number;
  /** Masks of capabilities. */
  readonly capabilities: {
    readonly inheritable: bigint;
    readonly bounding: bigint;
    readonly ambient: bigint;
  };
}

/** Reads /proc/PID/status. */
export function parseStatus(text: string): Status {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  const numbers = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number);
  const bytes = (name: string) => 1024 * (Number.parseInt(field(name), 10) || 0);
  const mask = (name: string) => BigInt(`0x${field(name) || '0'}`);
  return {
    state: field('State').charAt(0),
    threadGroup: Number(field('Tgid')),
    tracer: Number(field('TracerPid')),
    pids: numbers('NSpid'),
    sessions: numbers('NSsid'),
    anonymous: bytes('RssAnon'),
    swapped: bytes('VmSwap'),
    shared: bytes('RssShmem'),
    capabilities: {
      inheritable: mask('CapInh'),
      bounding: mask('CapBnd'),
      ambient: mask('CapAmb'),
    },
  };
}

/** Something that an inotify or fanotify watches, by the inode. */
export interface Watch {
  readonly inode: number;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Absent if the file system has no handles. */
  readonly handle: { readonly type: number; readonly bytes: Uint8Array } | undefined;
}

/** What /proc/PID/fdinfo/FD tells of a descriptor. */
export interface FdInfo {
  readonly flags: number;
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

/** Reads /proc/PID/fdinfo/FD. */
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

/** The kernel's own encoding of a device: 12 bits for the major number, 20 for the minor one. */
function kernelDevice(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}

/** A device number as stat(2) has it. */
export function major(device: number): number {
  return (device >>> 8) & 0xfff;
}

export function minor(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

/** A line of /proc/PID/mountinfo. */
export interface Mount {
  readonly id: number;
  /** `major:minor`. */
  readonly device: string;
  readonly point: string;
  readonly type: string;
}

/** Reads /proc/PID/mountinfo. */
export function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ', 2);
      const [id, , device = '', , point = ''] = before.split(' ');
      const [type = ''] = after.split(' ');
      return { id: Number(id), device, point: unescapeOctal(point), type };
    });
}

/** A line of /proc/PID/maps that has a name. */
export interface Mapping {
  /** `start-end`, as the links in map_files are called. */
  readonly range: string;
  readonly device: string;
  readonly inode: number;
  readonly path: string;
}

/** Reads the named mappings of /proc/PID/maps. */
export function parseMappings(text: string): Mapping[] {
  const line = /^(\w+-\w+) \S+ \w+ (\w+:\w+) (\d+) +(\S.*)$/gm;
  return [...text.matchAll(line)].map(([, range = '', device = '', inode, path = '']) => ({
    range: range.replace(/\b0+(?=\w)/g, ''),
    device,
    inode: Number(inode),
    path: unescapeOctal(path),
  }));
}

/** How many mappings in /proc/PID/smaps have a memory protection key other than the default. */
export function countProtectionKeys(smaps: string): number {
  return [...smaps.matchAll(/^ProtectionKey:\s+(\d+)$/gm)].filter(([, key]) => key !== '0').length;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
