import { readdirSync, readFileSync } from 'node:fs';

/** The memory of a process and its descendants, each page divided by the number of processes that share it, in bytes. */
export function pssOf(pid) {
  const [, kib] = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children.map(pssOf).reduce((sum, size) => sum + size, 1024 * Number(kib));
}
