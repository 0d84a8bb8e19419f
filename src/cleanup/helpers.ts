import { setTimeout as sleep } from 'node:timers/promises';
import { readPids } from '../procfs/processes.ts';
import { eachOf } from '../procfs/read.ts';
import { isDead, readStat } from '../procfs/stat.ts';

/** How long helpers may take to end, in milliseconds: iptables may wait for its lock. */
const TIMEOUT_MS = 5000;
const POLL_MS = 10;

/**
 * Resolves when the helpers that a dead criu had started, such as iptables, have ended. They are the
 * members of criu's session.
 * @returns one line for each helper that still runs after 5 seconds
 */
export async function awaitHelpers(criu: number): Promise<string[]> {
  for (let waited = 0; ; waited += POLL_MS) {
    const helpers = await membersOf(criu);
    if (helpers.length === 0) return [];
    if (waited >= TIMEOUT_MS) {
      return helpers.map(({ pid, name }) => `process ${pid} (${name}), which criu started`);
    }
    await sleep(POLL_MS);
  }
}

async function membersOf(session: number): Promise<{ pid: number; name: string }[]> {
  return await eachOf(await readPids(), async (pid) => {
    const stat = await readStat(pid).catch(() => undefined);
    const isMember = stat?.session === session && pid !== session && !isDead(stat);
    return isMember ? { pid, name: stat.name } : undefined;
  });
}
