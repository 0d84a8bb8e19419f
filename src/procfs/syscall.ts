import { textOf } from './read.ts';

/**
 * Reads the program counter of a thread from /proc/PID/task/TID/syscall: `running` while the thread
 * is not blocked, undefined if it is gone or may not be read.
 */
export async function readProgramCounter(
  pid: number,
  thread: number,
): Promise<number | 'running' | undefined> {
  const text = await textOf(`/proc/${pid}/task/${thread}/syscall`).catch(() => undefined);
  if (text === undefined) return undefined;
  if (text.startsWith('running')) return 'running';
  // The last number of the line.
  const counter = /0x(\w+)\n$/.exec(text)?.[1];
  return counter === undefined ? undefined : Number.parseInt(counter, 16);
}
