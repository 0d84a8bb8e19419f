import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long programs of a dead criu, which wait for a lock of iptables say, may take to end. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 10;

/**
 * Resolves when what a dead criu had started to do its work, as iptables, has ended; with what has
 * not, after a while. It is all in the session of that criu, whose leader it was.
 */
export async function awaitHelpers(criu: number): Promise<string[]> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    const orphans = await membersOf(criu);
    if (orphans.length === 0) return [];
    if (waited >= PATIENCE_MS) {
      return orphans.map(({ pid, name }) => `process ${pid} (${name}), which criu had started`);
    }
    await sleep(PAUSE_MS);
  }
}

async function membersOf(session: number): Promise<{ pid: number; name: string }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
      const end = stat.lastIndexOf(')');
      const [state = 'X', , , sid] = stat.slice(end + 2).split(' ');
      const isMember = Number(sid) === session && Number(pid) !== session && !'ZX'.includes(state);
      return isMember ? { pid: Number(pid), name: stat.slice(stat.indexOf('(') + 1, end) } : [];
    }),
  );
  return all.flat();
}
