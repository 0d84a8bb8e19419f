import { CriuError } from '../../errors.ts';
import { readNamespaceSync } from '../../procfs/namespaces.ts';
import { readPidsSync } from '../../procfs/processes.ts';
import { startTimeOf as ticksOf } from '../../procfs/stat.ts';
import { readBootIdSync } from '../../procfs/system.ts';

/** The first pid namespace, from which all processes are seen. */
const ALL = 'pid:[4026531836]';

/**
 * When a process was started, by the kernel's clock, and where: `TICKS BOOT NAMESPACE`, which no other
 * process has. Undefined if there is none.
 */
export function startTimeOf(pid: number): string | undefined {
  const ticks = ticksOf(pid);
  return ticks === undefined ? undefined : `${ticks} ${hereNow()}`;
}

/** Processes as a journal names them, each as `PID TICKS`: of one boot and namespace. */
export function namesOf(pids: readonly number[]): string[] {
  return pids.map((pid) => `${pid} ${ticksOf(pid)}`);
}

/** The pids of those that are still there, and not others' by now. */
export function pidsOf(names: readonly string[]): number[] {
  return names.flatMap((name) => {
    const [pid, ticks] = name.split(' ');
    return ticksOf(Number(pid)) === ticks ? [Number(pid)] : [];
  });
}

/** This process, as a journal names it. */
export function thisAgent(): string {
  return `${process.pid} ${startTimeOf(process.pid)}`;
}

/** Whether a process that a journal names is there, for all that is known here. */
export function isAgentAlive(agent: string | undefined): boolean {
  if (!agent) return false;
  const [pid, ...startTime] = agent.split(' ');
  return isElsewhere(agent) || startTimeOf(Number(pid)) === startTime.join(' ');
}

/** Whether {@link startTimeOf} or {@link thisAgent} has named a process of this boot and namespace. */
export function isOfHere(identity: string | undefined): boolean {
  return placeOf(identity) === hereNow();
}

/**
 * Whether it has named a process of another pid namespace: what became of that is not seen from here.
 * What was before the host was started anew is gone, and so is what was in a namespace that is.
 */
export function isElsewhere(identity: string | undefined): boolean {
  const place = placeOf(identity);
  if (place === undefined || place === hereNow()) return false;
  const [boot = '', namespace = ''] = place.split(' ');
  const [thisBoot, thisNamespace] = hereNow().split(' ');
  return boot === thisBoot && (thisNamespace !== ALL || isInhabited(namespace));
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it has named a process that is not seen from here */
export function requireSeen(operation: string, option: string, identity: string | undefined): void {
  if (!isElsewhere(identity)) return;
  const message = `${operation}: its processes are in another pid namespace, and cannot be seen from here: run it in there`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}

/** The last two words are `BOOT NAMESPACE`. */
function placeOf(identity: string | undefined): string | undefined {
  const words = identity?.split(' ') ?? [];
  return words.length < 3 ? undefined : words.slice(-2).join(' ');
}

function hereNow(): string {
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
