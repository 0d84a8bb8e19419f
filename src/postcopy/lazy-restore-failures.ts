import { CriuError } from '../errors.ts';
import { trueCause } from '../failure/cause.ts';
import { MissingUffdsError } from './uffd-guard.ts';

const OPERATION = 'lazyRestore';
/** Lines of CRIU's log about the connection to the daemon. */
const DAEMON_LINE = /^uffd: /;
/** What the daemon of this package says when the restore has failed first (src/native/lazy-pages/main.c). */
const RESTORE_ENDED = /the restore has ended/;

/** True if a restore may have failed because the daemon failed. */
export function isDaemonFailure(error: unknown): boolean {
  if (!(error instanceof CriuError)) return false;
  if (error.cause instanceof MissingUffdsError) return true;
  const { code, log } = error;
  return code === 'ERR_CRIU_FAILED' && !!log?.errors.some((line) => DAEMON_LINE.test(line));
}

/** The failure of a restore whose daemon has failed. */
export function daemonFailure(failure: CriuError, restore: CriuError): CriuError {
  const { code, stderr, exit } = failure;
  const cause = RESTORE_ENDED.test(failure.message) ? trueCause({ log: restore.log }) : undefined;
  const text = cause ?? withoutOperation(failure.message);
  const { log } = cause === undefined ? failure : restore;
  const { workload, pid } = restore;
  return new CriuError(code, `${OPERATION}: ${text} (nothing was restored)`, {
    operation: OPERATION,
    ...{ log, stderr, exit, workload, pid, cause: failure },
  });
}

/** The failure of a restore whose processes already ran and were killed. */
export function killedFailure(error: unknown): unknown {
  if (!(error instanceof CriuError) || error.workload === 'gone') return error;
  const killed = 'the restored processes were killed, since they would lack memory';
  const message = error.message.replace('the restored processes run', killed);
  return new CriuError(error.code, message, { ...error, workload: 'gone', cause: error.cause });
}

/**
 * The failure of a lazy restore whose daemon ended before it had delivered every page.
 * @param killed the pids of the processes that ran until then
 */
export function missingMemoryFailure(
  cause: CriuError,
  pid: number,
  killed: readonly number[],
): CriuError {
  const { code, log, stderr, exit } = cause;
  const text = withoutOperation(cause.message);
  const isRootKilled = killed.includes(pid);
  const end = isRootKilled ? 'was killed, since some of its memory is missing' : 'has ended';
  const rest = killed.length > 0 && !isRootKilled ? '; what was left of its tree was killed' : '';
  const message = `${OPERATION}: ${text} (process ${pid} ${end}${rest})`;
  return new CriuError(code, message, {
    operation: OPERATION,
    ...{ pid, log, stderr, exit, cause },
    workload: 'gone',
  });
}

function withoutOperation(message: string): string {
  return message.replace(/^\w+: /, '');
}
