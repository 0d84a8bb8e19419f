import { readPidsSync } from './processes.ts';
import { readStatSync, type Stat } from './stat.ts';

/** A process of a session, its leader and zombies included. */
export interface SessionMember extends Stat {
  readonly pid: number;
}

/** Lists the members of a session, as far as this process may read them. */
export function readSessionSync(session: number): SessionMember[] {
  return readPidsSync().flatMap((pid) => {
    try {
      const stat = readStatSync(pid);
      return stat?.session === session ? [{ pid, ...stat }] : [];
    } catch {
      return [];
    }
  });
}
