import type { DescribedProcess } from '../images.ts';
import { groupBy } from './groups.ts';

/** The most levels of the tree whose branches are drawn. */
const MAX_LEVELS = 16;

/** A process with the branches of the tree in front of it, such as `│  ├─ `. */
export interface ProcessInTree {
  readonly process: DescribedProcess;
  readonly branches: string;
}

/**
 * Processes in the order of their tree. Images may be damaged so that processes are each other's children, and a
 * tree may be deeper than the stack.
 */
export function inTreeOrder(processes: readonly DescribedProcess[]): ProcessInTree[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const children = groupBy(processes, ({ pid, ppid }) =>
    pids.has(ppid) && ppid !== pid ? ppid : undefined,
  );
  const ordered: ProcessInTree[] = [];
  const seen = new Set<DescribedProcess>();
  for (const top of [...(children.get(undefined) ?? []), ...processes]) {
    const stack = [{ process: top, own: '', below: '' }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { process, own, below } = next;
      if (seen.has(process)) continue;
      seen.add(process);
      ordered.push({ process, branches: own });
      const lower = (children.get(process.pid) ?? []).filter((one) => !seen.has(one));
      for (const [index, child] of lower.toReversed().entries()) {
        const isLast = index === 0;
        stack.push({
          process: child,
          own: shortened(`${below}${isLast ? '└─ ' : '├─ '}`),
          below: shortened(`${below}${isLast ? '   ' : '│  '}`),
        });
      }
    }
  }
  return ordered;
}

const shortened = (branches: string) => branches.slice(-3 * MAX_LEVELS);
