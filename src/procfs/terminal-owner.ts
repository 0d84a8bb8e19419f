import { statSync } from 'node:fs';
import { parseFdInfo } from './fdinfo.ts';
import { readPidsSync } from './processes.ts';
import { linkOfSync, namesInSync, textOfSync } from './read.ts';
import { statusOf } from './status.ts';

const TERMINALS = '/dev/pts';

/**
 * Describes for an error message who has a terminal of /dev/pts open, so that no other gets its number; undefined
 * if nobody does whom this process may look at.
 */
export function describeTerminalOwner(index: number): string | undefined {
  let owner: number | undefined;
  for (const pid of readPidsSync()) {
    const use = useBy(pid, index);
    if (!use) continue;
    owner = pid;
    // The number is free once both ends are closed, and the other one is of no use without the master.
    if (use === 'master') break;
  }
  const status = owner === undefined ? undefined : statusOf(owner);
  return status && `process ${owner} (${status.name})`;
}

function useBy(pid: number, index: number): 'master' | 'slave' | undefined {
  try {
    // A container has terminals of its own, with the same numbers.
    if (statSync(`/proc/${pid}/root${TERMINALS}`).dev !== statSync(TERMINALS).dev) return;
    const links = namesInSync(`/proc/${pid}/fd`).map((fd) => ({
      fd,
      link: linkOfSync(`/proc/${pid}/fd/${fd}`) ?? '',
    }));
    const isMaster = ({ fd, link }: (typeof links)[number]) =>
      link.endsWith('/ptmx') &&
      parseFdInfo(textOfSync(`/proc/${pid}/fdinfo/${fd}`) ?? '').terminal === index;
    if (links.some(isMaster)) return 'master';
    // A terminal whose master is closed is a deleted file.
    const names = [`${TERMINALS}/${index}`, `${TERMINALS}/${index} (deleted)`];
    return links.some(({ link }) => names.includes(link)) ? 'slave' : undefined;
  } catch {
    // It has ended, or may not be looked at.
    return;
  }
}
