import { readNamespaceSync } from './namespaces.ts';
import { linkOfSync, textOfSync } from './read.ts';

/**
 * True if /proc, as a process sees it, is that of the process's own pid namespace; undefined if the process is gone, or
 * this process may not see that.
 */
export function seesOwnProc(pid: number): boolean | undefined {
  try {
    const own = readNamespaceSync(pid, 'pid');
    return own === undefined ? undefined : shownBy(`/proc/${pid}/root/proc`) === own;
  } catch {
    return undefined;
  }
}

/** The pid namespace that a /proc shows; undefined if it shows none. */
function shownBy(proc: string): string | undefined {
  // The line has one pid for each namespace from that of the /proc down to that of this process.
  const isOurs = /^NSpid:\t\d+$/m.test(textOfSync(`${proc}/self/status`) ?? '');
  // This process may lack the right to read the namespace of process 1, the first of the one that is shown.
  return isOurs ? readNamespaceSync('self', 'pid') : linkOfSync(`${proc}/1/ns/pid`);
}
