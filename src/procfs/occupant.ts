import { existsSync } from 'node:fs';
import { readPidsSync } from './processes.ts';
import { isDead, readStatSync } from './stat.ts';
import { type Status, statusOf } from './status.ts';

/** A process that has ended and whose pid is still in use, because its parent has not reaped it. */
export interface PidOccupant {
  /** The pid that is in use. */
  readonly pid: number;
  /** Its command name. */
  readonly name: string;
  /** One letter, as in `ps`: `Z` for a zombie; any other for a process that is about to be one. */
  readonly state: string;
  /** The process that has to reap it. */
  readonly parent: {
    /** Its pid; 0 if it is not visible from this pid namespace. */
    readonly pid: number;
    /** Its command name; undefined if it is not visible. */
    readonly name: string | undefined;
  };
}

/** Describes who uses a pid; undefined if nobody does. */
export function occupantOf(pid: number): PidOccupant | undefined {
  const status = statusOf(pid);
  if (!status) return undefined;
  const { name, state, parent } = status;
  return { pid, name, state, parent: { pid: parent, name: statusOf(parent)?.name } };
}

/** True if a pid belongs to a process that has ended. */
export function isZombie(pid: number): boolean {
  // Most pids are free, and this takes less time than an error.
  if (!existsSync(`/proc/${pid}`)) return false;
  const status = statusOf(pid);
  return status !== undefined && isDead(status);
}

const states: Readonly<Record<string, string>> = {
  D: 'in an uninterruptible sleep',
  R: 'running',
  S: 'sleeping',
  T: 'stopped',
  t: 'stopped by a tracer',
};

/**
 * Describes for an error message who uses a number as the id of a process, thread, process group or
 * session, each of which prevents a new process with this pid; undefined if nobody does.
 */
export function describeOccupant(id: number): string | undefined {
  const status = statusOf(id);
  if (status) {
    const { threadGroup } = status;
    const thread = threadGroup === id ? '' : `a thread of `;
    return `${thread}${describe(threadGroup, status)}`;
  }
  const pid = readPidsSync().find((each) => isMember(each, id));
  const member = pid === undefined ? undefined : statusOf(pid);
  return member && `${describe(pid as number, member)}, whose process group or session it is`;
}

function describe(pid: number, status: Status): string {
  const { name, state, parent } = status;
  const itself = `process ${pid} (${name})`;
  const parentName = statusOf(parent)?.name;
  const its = `process ${parent}${parentName === undefined ? '' : ` (${parentName})`}`;
  if (isDead(status)) return `${itself}, a zombie that its parent, ${its}, has not reaped`;
  return `${itself}, ${states[state] ?? `in state ${state}`}, a child of ${its}`;
}

function isMember(pid: number, id: number): boolean {
  try {
    const stat = readStatSync(pid);
    return stat?.group === id || stat?.session === id;
  } catch {
    return false;
  }
}
