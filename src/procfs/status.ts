import { type Pid, textOf, textOfSync } from './read.ts';

/** The fields of /proc/PID/status that are used here. */
export interface Status {
  readonly name: string;
  /** One letter, as in `ps`: `Z` and `X` are dead, `T` is stopped, `t` is stopped by a tracer. */
  readonly state: string;
  readonly threadGroup: number;
  /** The parent's pid. */
  readonly parent: number;
  /** The tracer's pid; 0 without a tracer. */
  readonly tracer: number;
  /** The real, effective and saved user and group. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** The pid and the session in each pid namespace, from the reader's own namespace inwards. */
  readonly pids: readonly number[];
  readonly sessions: readonly number[];
  /** Bytes of memory that a dump writes: anonymous, swapped out, and shared without a file. */
  readonly anonymous: number;
  readonly swapped: number;
  readonly shared: number;
  /** False for a kernel thread, and for a process that has given up its memory because it ends. */
  readonly hasMemory: boolean;
  /** A mask of the signals that wait for the thread or its process: bit 0 is signal 1. */
  readonly pendingSignals: bigint;
  /** Masks of capabilities. */
  readonly capabilities: Capabilities;
}

/** Masks of capabilities: see capabilities(7). */
export interface Capabilities {
  readonly inheritable: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
}

/** Parses /proc/PID/status. */
export function parseStatus(text: string): Status {
  const fields = new Map(
    text.split('\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    }),
  );
  const field = (name: string) => fields.get(name) ?? '';
  const numbers = (name: string) => field(name).split(/\s+/).filter(Boolean).map(Number);
  const bytes = (name: string) => 1024 * (Number.parseInt(field(name), 10) || 0);
  const mask = (name: string) => BigInt(`0x${field(name) || '0'}`);
  return {
    name: field('Name'),
    state: field('State').charAt(0),
    threadGroup: Number(field('Tgid')),
    parent: Number(field('PPid')),
    tracer: Number(field('TracerPid')),
    uids: numbers('Uid').slice(0, 3),
    gids: numbers('Gid').slice(0, 3),
    pids: numbers('NSpid'),
    sessions: numbers('NSsid'),
    anonymous: bytes('RssAnon'),
    swapped: bytes('VmSwap'),
    shared: bytes('RssShmem'),
    hasMemory: fields.has('VmSize'),
    pendingSignals: mask('SigPnd') | mask('ShdPnd'),
    capabilities: {
      inheritable: mask('CapInh'),
      effective: mask('CapEff'),
      bounding: mask('CapBnd'),
      ambient: mask('CapAmb'),
    },
  };
}

/** Reads /proc/PID/status; undefined if the process is gone. */
export async function readStatus(pid: Pid): Promise<Status | undefined> {
  const text = await textOf(`/proc/${pid}/status`);
  return text ? parseStatus(text) : undefined;
}

/** The same, synchronously. */
export function readStatusSync(pid: Pid): Status | undefined {
  const text = textOfSync(`/proc/${pid}/status`);
  return text ? parseStatus(text) : undefined;
}

/** Reads /proc/PID/task/TID/status; undefined if the thread is gone. */
export async function readThreadStatus(pid: number, thread: number): Promise<Status | undefined> {
  const text = await textOf(`/proc/${pid}/task/${thread}/status`);
  return text ? parseStatus(text) : undefined;
}

/** Reads /proc/PID/status; undefined if the process is gone or may not be read. */
export function statusOf(pid: number): Status | undefined {
  try {
    return readStatusSync(pid);
  } catch {
    return undefined;
  }
}
