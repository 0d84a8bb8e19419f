import { namesIn, namesInSync, type Pid, textOf } from './read.ts';

/** Lists the pids of all processes in this pid namespace. */
export async function readPids(): Promise<number[]> {
  return numbersOf(await namesIn('/proc'));
}

/** The same, synchronously. */
export function readPidsSync(): number[] {
  return numbersOf(namesInSync('/proc'));
}

/** Lists the thread ids of a process; none if it is gone. */
export async function readThreads(pid: Pid): Promise<number[]> {
  return numbersOf(await namesIn(`/proc/${pid}/task`));
}

/** The same, synchronously. */
export function readThreadsSync(pid: Pid): number[] {
  return numbersOf(namesInSync(`/proc/${pid}/task`));
}

/** Reads the arguments of a process; none if it is gone or a kernel thread. */
export async function readCommandLine(pid: Pid): Promise<string[]> {
  const text = (await textOf(`/proc/${pid}/cmdline`)) ?? '';
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

function numbersOf(names: readonly string[]): number[] {
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
