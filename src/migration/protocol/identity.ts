import { CriuError } from '../../errors.ts';
import { readNamespaceSync } from '../../procfs/namespaces.ts';
import { readPidsSync } from '../../procfs/processes.ts';
import { startTimeOf as ticksOf } from '../../procfs/stat.ts';
import { readBootIdSync } from '../../procfs/system.ts';

/** The initial pid namespace, from which all processes are visible. */
const INITIAL_NAMESPACE = 'pid:[4026531836]';

/**
 * When and where a process was started, as `TICKS BOOT NAMESPACE`: unique among all processes.
 * Undefined if there is no such process.
 */
export function startTimeOf(pid: number): string | undefined {
  const ticks = ticksOf(pid);
  return ticks === undefined ? undefined : `${ticks} ${currentOrigin()}`;
}

/** The names of processes in a journal, each `PID TICKS`: unique within a boot and pid namespace. */
export function namesOf(pids: readonly number[]): string[] {
  return pids.map((pid) => `${pid} ${ticksOf(pid)}`);
}

/** The pids of the named processes that still exist. A pid that was reused is left out. */
export function pidsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => {
    const [pid, ticks] = name.split(' ');
    return ticksOf(Number(pid)) === ticks ? [Number(pid)] : [];
  });
}

/** The name of this process in a journal: `PID TICKS BOOT NAMESPACE`. */
export function thisAgent(): string {
  return `${process.pid} ${startTimeOf(process.pid)}`;
}

/** True if the process that a journal names runs, or may run where it is not visible from here. */
export function isAgentAlive(agent: string | undefined): boolean {
  if (!agent) return false;
  const [pid, ...startTime] = agent.split(' ');
  return isElsewhere(agent) || startTimeOf(Number(pid)) === startTime.join(' ');
}

/** True if {@link startTimeOf} or {@link thisAgent} named a process of this boot and pid namespace. */
export function isLocal(identity: string | undefined): boolean {
  return originOf(identity) === currentOrigin();
}

/**
 * True if a journal names a process of another pid namespace, which may run although it is not
 * visible. A process from before the last boot is gone, and so is one in a namespace without processes.
 */
export function isElsewhere(identity: string | undefined): boolean {
  const origin = originOf(identity);
  if (origin === undefined || origin === currentOrigin()) return false;
  const [boot = '', namespace = ''] = origin.split(' ');
  const [thisBoot, thisNamespace] = currentOrigin().split(' ');
  return boot === thisBoot && (thisNamespace !== INITIAL_NAMESPACE || isInhabited(namespace));
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the process is in a namespace not visible from here */
export function requireVisible(
  operation: string,
  option: string,
  identity: string | undefined,
): void {
  if (!isElsewhere(identity)) return;
  const message = `${operation}: the processes of the migration are in another pid namespace, which is not visible from here; call it in that namespace`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}

/** The boot and the pid namespace of a process: the last two words of its identity. */
function originOf(identity: string | undefined): string | undefined {
  const words = identity?.split(' ') ?? [];
  return words.length < 3 ? undefined : words.slice(-2).join(' ');
}

function currentOrigin(): string {
  return `${readBootIdSync()} ${readNamespaceSync('self', 'pid')}`;
}

function isInhabited(namespace: string): boolean {
  return readPidsSync().some((pid) => {
    try {
      return readNamespaceSync(pid, 'pid') === namespace;
    } catch {
      return false;
    }
  });
}
