import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYING_MS, end, statusOf, waitsForCriu } from '../../process/unfinished.ts';
import { isAgentAlive, startTimeOf } from './identity.ts';
import { type How, type IncomingFacts, journalsOf } from './incoming-journal.ts';
import { Journal } from './journal.ts';
import { afterRestart, type DestinationState } from './states.ts';

const POLL_MS = 20;

/**
 * Reads what an agent that has died left in its journal, and puts it right. What an agent sees to that
 * lives is left to it.
 */
export async function recoverIncoming(directory: string, id: string): Promise<How> {
  await using journal = await Journal.find<DestinationState, IncomingFacts>(
    journalsOf(directory),
    id,
  );
  const entry = journal?.entry;
  const { state = 'unknown', pid = 0, startTime, lazy = false, message = '' } = entry ?? {};
  const asItIs = { state, pid, message, pages: 0 };
  if (!journal || isAgentAlive(entry?.agent)) return asItIs;
  const images = join(directory, 'images', id);
  const next =
    state === 'complete'
      ? state
      : afterRestart(state, { runs: await wasLetGo(pid, startTime), lazy });
  // Before it is told: the source may let its original run then.
  if (next !== 'complete') {
    await endCopy(pid, startTime);
    await endDaemon(images);
  }
  const why = 'the agent of the destination has died';
  if (next !== state) await journal.write(next, next === 'complete' ? {} : { message: why });
  await rm(images, { recursive: true, force: true });
  if (next === state) return asItIs;
  return { state: next, pid, message: why, pages: 0 };
}

/** Whether a copy was let go; what criu is about to do with it is waited for. */
export async function wasLetGo(pid: number, startTime: string | undefined): Promise<boolean> {
  if (pid === 0) return false;
  for (let waited = 0; waited < DYING_MS && waitsForCriu(pid) === 'yes'; waited += POLL_MS) {
    await sleep(POLL_MS);
  }
  return isThere(pid, startTime) && waitsForCriu(pid) === 'no';
}

export async function endCopy(pid: number, startTime: string | undefined): Promise<void> {
  if (pid !== 0 && isThere(pid, startTime)) await end([pid]);
}

/** Ends the lazy-pages daemon of a migration: it waits for pages as long as it lives. */
async function endDaemon(images: string): Promise<void> {
  const mark = `\0lazy-pages\0--images-dir\0${resolve(images)}/`;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(mark)) await end([Number(pid)]);
  }
}

function isThere(pid: number, startTime: string | undefined): boolean {
  return startTimeOf(pid) === startTime && statusOf(pid)?.dead === false;
}
