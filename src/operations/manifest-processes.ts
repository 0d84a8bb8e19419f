import { uptime } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ManifestProcess } from '../images/manifest.ts';
import { readNamespacesSync } from '../procfs/namespaces.ts';
import { textOfSync } from '../procfs/read.ts';
import { startTimeOf } from '../procfs/stat.ts';
import { statusOf } from '../procfs/status.ts';

/** How many processes are read in one turn of the event loop: about a millisecond's worth. */
const BATCH = 8;
/** The unit of start times in /proc, which is the same on all architectures. */
const TICKS_PER_SECOND = 100;
/** Namespaces that a restore makes anew, or that it has to be given. */
const KINDS = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'user', 'uts'];

/** The processes of a running tree. */
export interface RunningProcesses {
  readonly processes: readonly ManifestProcess[];
  /** Bytes of their memory that a dump writes, approximately. */
  readonly memory: number;
}

/** Describes processes by what /proc says of them. Those that have ended, or may not be read, are missing. */
export async function readProcesses(pids: readonly number[]): Promise<RunningProcesses> {
  const bootedAt = Date.now() - 1000 * uptime();
  const processes: ManifestProcess[] = [];
  // The pids in the namespace of each process, by those in this one.
  const inside = new Map<number, number>();
  let memory = 0;
  for (const [index, pid] of pids.entries()) {
    if (index % BATCH === BATCH - 1) await nextTurn();
    const read = readProcess(pid, bootedAt, inside);
    if (!read) continue;
    processes.push(read.process);
    memory += read.memory;
  }
  return { processes, memory };
}

/**
 * Undefined for a process that has ended or may not be read.
 * @param inside gets its pid; has the pids of the processes above it
 */
function readProcess(
  pid: number,
  bootedAt: number,
  inside: Map<number, number>,
): { readonly process: ManifestProcess; readonly memory: number } | undefined {
  try {
    const status = statusOf(pid);
    const ticks = startTimeOf(pid);
    if (!status || ticks === undefined) return undefined;
    const own = status.pids.at(-1) ?? pid;
    inside.set(pid, own);
    const parent = inside.get(status.parent);
    const startedAt = new Date(bootedAt + (1000 * Number(ticks)) / TICKS_PER_SECOND);
    const command = textOfSync(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
    const process = {
      pid: own,
      ...(parent !== undefined && { parent }),
      name: status.name,
      ...(command.length > 0 && { command }),
      startedAt: startedAt.toISOString(),
      startTicks: Number(ticks),
    };
    return { process, memory: status.anonymous + status.swapped + status.shared };
  } catch {
    return undefined;
  }
}

/** The kinds of namespaces that a process does not share with this one. */
export function ownNamespaces(pid: number): string[] {
  try {
    const [own, here] = [readNamespacesSync(pid), readNamespacesSync('self')];
    return KINDS.filter((kind) => own.has(kind) && own.get(kind) !== here.get(kind));
  } catch {
    return [];
  }
}
