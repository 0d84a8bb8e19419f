import type { WorkloadState } from '../errors.ts';
import { type Pid, textOf, textOfSync } from './read.ts';

/** The fields of /proc/PID/stat that are used here. */
export interface Stat {
  readonly name: string;
  /** One letter, as in `ps`: `Z` and `X` are dead, `T` is stopped, `t` is stopped by a tracer. */
  readonly state: string;
  /** The parent's pid. */
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of the controlling terminal in the kernel's encoding; 0 without a terminal. */
  readonly terminal: number;
  /** The terminal's foreground process group; -1 without a terminal. */
  readonly foreground: number;
  /** CPU time that all its threads have used, in clock ticks. */
  readonly cpuTicks: number;
  /** When the process was started, in clock ticks since the boot. */
  readonly startTime: string;
  /** True once it exits, or is about to because SIGKILL waits for it. */
  readonly isDying: boolean;
}

/** PF_EXITING of the kernel's flags of a process. */
const EXITING = 0x4;
const SIGKILL_PENDING = 1 << 8;

/** Parses /proc/PID/stat. The name is in parentheses and may itself contain parentheses. */
export function parseStat(text: string): Stat {
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const number = (index: number) => Number(fields[index]);
  return {
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '?',
    parent: number(1),
    group: number(2),
    session: number(3),
    terminal: number(4),
    foreground: number(5),
    cpuTicks: number(11) + number(12),
    startTime: fields[19] ?? '',
    isDying: (number(6) & EXITING) !== 0 || (number(28) & SIGKILL_PENDING) !== 0,
  };
}

/** Reads /proc/PID/stat; undefined if the process is gone. */
export async function readStat(pid: Pid): Promise<Stat | undefined> {
  const text = await textOf(`/proc/${pid}/stat`);
  return text ? parseStat(text) : undefined;
}

/** The same, synchronously. */
export function readStatSync(pid: Pid): Stat | undefined {
  const text = textOfSync(`/proc/${pid}/stat`);
  return text ? parseStat(text) : undefined;
}

/** When a process was started, in clock ticks since the boot; undefined if it is gone. */
export function startTimeOf(pid: number): string | undefined {
  try {
    return readStatSync(pid)?.startTime;
  } catch {
    return undefined;
  }
}

/** What a process does at this moment; a zombie is `gone`. */
export function stateOf(pid: number): WorkloadState {
  try {
    const stat = readStatSync(pid);
    if (!stat || isDead(stat)) return 'gone';
    return 'Tt'.includes(stat.state) ? 'stopped' : 'running';
  } catch {
    return 'unknown';
  }
}

/** True for a process that was killed, or exits, and is not a zombie yet: on a busy machine that takes a while. */
export function isDying(pid: number): boolean {
  try {
    return readStatSync(pid)?.isDying ?? false;
  } catch {
    return false;
  }
}

/** True for a process that has ended, a zombie included. */
export function isDead({ state }: { readonly state: string }): boolean {
  return 'ZX'.includes(state);
}

/** True for a process that exists and has not ended. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readStatSync(pid);
    return stat !== undefined && !isDead(stat);
  } catch {
    return false;
  }
}
