import { setTimeout as sleep } from 'node:timers/promises';
import { type Mapping, readMaps } from '../procfs/maps.ts';
import { readThreads } from '../procfs/processes.ts';
import { stateOf } from '../procfs/stat.ts';
import { readStatus } from '../procfs/status.ts';
import { readProgramCounter } from '../procfs/syscall.ts';

/** The memory from which CRIU runs its parasite code in the processes that it dumps. */
const PARASITE = '/memfd:CRIUMFD';
/** A process that computes cannot be told from one that is about to leave the parasite code. */
const TIMEOUT_MS = 300;
const POLL_MS = 5;

/**
 * Resolves when processes whose tracing criu has died have left its parasite code: they are back in
 * their own code, or dead if criu had them run the parasite without a way back.
 */
export async function awaitParasiteExit(pids: readonly number[]): Promise<void> {
  for (let waited = 0; waited < TIMEOUT_MS; waited += POLL_MS) {
    if ((await Promise.all(pids.map(hasLeftParasite))).every(Boolean)) return;
    await sleep(POLL_MS);
  }
}

/**
 * True if a process may be running CRIU's parasite code. The memory of the code alone says little: it stays in a process
 * whose criu was killed.
 */
export async function mayRunParasite(pid: number): Promise<boolean> {
  const parasite = await parasiteOf(pid);
  if (parasite.length === 0) return false;
  const isTraced = (await readStatus(pid))?.tracer !== 0;
  return isTraced || !(await hasLeftParasite(pid));
}

async function hasLeftParasite(pid: number): Promise<boolean> {
  if (stateOf(pid) === 'gone') return true;
  const threads = await readThreads(pid).catch(() => []);
  const parasite = await parasiteOf(pid).catch(() => []);
  const outside = await Promise.all(
    threads.map(async (thread) => {
      const counter = (await readProgramCounter(pid, thread)) ?? 0;
      if (counter === 'running') return false;
      return !parasite.some(({ start, end }) => start <= counter && counter < end);
    }),
  );
  return outside.every(Boolean);
}

async function parasiteOf(pid: number): Promise<Mapping[]> {
  return (await readMaps(pid)).filter(({ path }) => path.includes(PARASITE));
}
