import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { stateOf } from '../procfs/state.ts';

/** The memory that CRIU runs its own code from, in the processes that it dumps. */
const PARASITE = '/memfd:CRIUMFD';
/** A process that computes cannot be told from one that has yet to fall: wait for that long. */
const PATIENCE_MS = 300;
const PAUSE_MS = 5;

/**
 * Resolves when processes that a criu has let go of by its death are what they will be: back in
 * their own code, or dead, if that criu had them run its code without a way back.
 */
export async function awaitParasiteExit(pids: readonly number[]): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    if ((await Promise.all(pids.map(isSettled))).every(Boolean)) return;
    await sleep(PAUSE_MS);
  }
}

async function isSettled(pid: number): Promise<boolean> {
  if (stateOf(pid) === 'gone') return true;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const maps = await readFile(`/proc/${pid}/maps`, 'latin1').catch(() => '');
  const places = maps.split('\n').flatMap((line) => {
    const [, from = '', to = ''] = /^(\w+)-(\w+) /.exec(line) ?? [];
    return line.includes(PARASITE) ? [[BigInt(`0x${from}`), BigInt(`0x${to}`)] as const] : [];
  });
  const quiet = await Promise.all(
    threads.map(async (thread) => {
      // The last number is the program counter; of one that does not sleep there is none.
      const call = await readFile(`/proc/${pid}/task/${thread}/syscall`, 'latin1').catch(() => '');
      if (call.startsWith('running')) return false;
      const at = BigInt(/(0x\w+)\n$/.exec(call)?.[1] ?? 0);
      return !places.some(([from, to]) => from <= at && at < to);
    }),
  );
  return quiet.every(Boolean);
}
