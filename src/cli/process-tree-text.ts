import type { DescribedProcess } from '../images.ts';
import { asWord } from './shell-command.ts';
import { counted, printable } from './text-layout.ts';

/** What is printed of each process. */
export interface ProcessTreeOptions {
  /** The whole command line. */
  readonly commands: boolean;
  readonly environments: boolean;
}

/** The processes as a tree, one a line. */
export function processTree(
  processes: readonly DescribedProcess[],
  options: ProcessTreeOptions,
): string[] {
  const children = childrenOf(processes);
  const lines: string[] = [];
  const seen = new Set<DescribedProcess>();
  // Images may be damaged so that their processes are each other's children. A deep tree must not exhaust the stack.
  for (const top of [...(children.get(undefined) ?? []), ...processes]) {
    const stack = [{ process: top, first: '', rest: '' }];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { process, first, rest } = next;
      if (seen.has(process)) continue;
      seen.add(process);
      lines.push(`${first}${title(process, options)}`);
      const below = (children.get(process.pid) ?? []).filter((one) => !seen.has(one));
      const bar = below.length > 0 ? '│ ' : '  ';
      if (options.environments) {
        for (const variable of process.environment ?? []) {
          lines.push(`${rest}${bar}  ${printable(variable)}`);
        }
      }
      for (const [index, child] of below.toReversed().entries()) {
        const isLast = index === 0;
        stack.push({
          process: child,
          first: `${rest}${isLast ? '└─ ' : '├─ '}`,
          rest: `${rest}${isLast ? '   ' : '│  '}`,
        });
      }
    }
  }
  return lines;
}

/** The processes by their parent; those whose parent is not among them by undefined. */
function childrenOf(
  processes: readonly DescribedProcess[],
): Map<number | undefined, DescribedProcess[]> {
  const pids = new Set(processes.map(({ pid }) => pid));
  const children = new Map<number | undefined, DescribedProcess[]>();
  for (const process of processes) {
    const parent =
      pids.has(process.ppid) && process.ppid !== process.pid ? process.ppid : undefined;
    const known = children.get(parent);
    if (known) known.push(process);
    else children.set(parent, [process]);
  }
  return children;
}

/** A process and those below it, in their order. */
export function subtreeOf(processes: readonly DescribedProcess[], pid: number): DescribedProcess[] {
  const children = childrenOf(processes);
  const found = new Set(processes.filter((one) => one.pid === pid));
  for (const process of found) {
    for (const child of children.get(process.pid) ?? []) found.add(child);
  }
  return processes.filter((one) => found.has(one));
}

/** `12 node server.js (stopped, uid 1000, 11 threads)` */
function title(process: DescribedProcess, { commands }: ProcessTreeOptions): string {
  const { pid, args, threads } = process;
  const command = commands && args && args.length > 0 ? args.map(word).join(' ') : undefined;
  const uid = process.credentials?.euid;
  const notes = [
    ...stateNotes(process),
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(threads.length > 1 ? [counted(threads.length, 'thread')] : []),
  ];
  return `${pid} ${command ?? printable(process.name)}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`;
}

const word = (text: string) => printable(asWord(text));

function stateNotes({ state, stopSignal, exitCode, exitSignal }: DescribedProcess): string[] {
  if (state === 'alive') return [];
  const how =
    exitSignal ?? stopSignal ?? (exitCode === undefined ? undefined : `exit code ${exitCode}`);
  return how === undefined ? [state] : [state, how];
}
