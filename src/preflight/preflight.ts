import { Cancellation } from '../concurrency/cancellation.ts';
import { within } from '../concurrency/deadline.ts';
import { CriuError, systemFailure } from '../errors.ts';
import type { PreflightFinding } from '../finding.ts';
import { native } from '../native/index.ts';
import { checkOptions, checkValue } from '../options/check.ts';
import { pid as pidCheck } from '../options/kinds.ts';
import { operationOptions } from '../options/operation-options.ts';
import type { CriuOpts } from '../options/types.ts';
import { checks } from './checks.ts';
import { type Host, type HostFacts, readHost } from './host.ts';
import { type Plan, type PreflightOptions, planFor } from './options.ts';
import { readTree } from './tree.ts';

const OPERATION = 'preflight';

/** The client that a preflight is for. */
export interface PreflightClient {
  /** Path or name of its criu binary. */
  readonly path: string | undefined;
  /** Path of the socket of the criu service that it uses instead. */
  readonly socket?: string | undefined;
  readonly defaults: Readonly<CriuOpts>;
}

/** How long the other processes of the host, which may be many, are searched, in milliseconds. */
const SEARCH_MS = { requested: 10_000, afterFailure: 250 };

/**
 * Reports what would make a dump of a process tree, or a later restore, fail. It only reads: it stops
 * no process, and takes no descriptor of the tree.
 */
export async function preflight(
  client: PreflightClient,
  pid: number,
  given: PreflightOptions,
  host: Host,
): Promise<PreflightFinding[]> {
  checkValue(OPERATION, 'pid', pidCheck, pid);
  const { signal, deadlineMs, gracePeriodMs, hooks } = given;
  checkOptions(OPERATION, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  using cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  cancellation.throwIfRequested();
  const plan = await planFor(given, client.defaults);
  // Rejects on another platform, which would otherwise look like one without the process.
  native();
  const asking = readHost(client, plan, host, cancellation);
  const searchMs = host === 'known' ? SEARCH_MS.afterFailure : SEARCH_MS.requested;
  const looking = look(pid, plan, asking, searchMs, cancellation);
  return await untilCancelled(OPERATION, looking, asking, cancellation);
}

/**
 * Awaits what a preflight has found.
 * @param asking what it asks criu, which has ended when this returns
 * @throws the reason of the cancellation
 */
export async function untilCancelled(
  operation: string,
  looking: Promise<PreflightFinding[]>,
  asking: Promise<unknown>,
  cancellation: Cancellation,
): Promise<PreflightFinding[]> {
  const stopped = cancellation.requested.then(async () => {
    // criu gets its grace period, as in every operation. So does a read in progress, which nothing can
    // interrupt: the file system may not answer.
    await asking.catch(() => {});
    await within(
      cancellation.graceMs,
      looking.catch(() => {}),
    );
    cancellation.throwIfRequested();
  });
  const found = await Promise.race([looking, stopped]).catch((error: unknown) => {
    throw systemFailure(operation, error) ?? error;
  });
  return found ?? [];
}

async function look(
  pid: number,
  plan: Plan,
  asking: Promise<HostFacts>,
  searchMs: number,
  cancellation: Cancellation,
): Promise<PreflightFinding[]> {
  const reading = readTree(pid, plan.options, searchMs, cancellation);
  // If one of them fails, the other must not go on after this.
  await Promise.allSettled([reading, asking]);
  const [snapshot, facts] = await Promise.all([reading, asking]);
  // A question to criu that was cancelled is not a finding.
  cancellation.throwIfRequested();
  if (!snapshot) {
    const message = `${OPERATION}: there is no process ${pid}`;
    throw new CriuError('ERR_CRIU_NO_SUCH_PROCESS', message, { operation: OPERATION, pid });
  }
  const { operation, options } = plan;
  const subject = { snapshot, host: facts, operation, options };
  const findings = checks.flatMap(([check, stopsPreDump]) =>
    check(subject).map(
      (finding): PreflightFinding =>
        operation === 'preDump' && !stopsPreDump ? { ...finding, severity: 'warning' } : finding,
    ),
  );
  return findings.sort(bySeverity);
}

const severities = ['error', 'warning', 'info'];

/** Sorts errors first, then by process and descriptor. */
export function bySeverity(one: PreflightFinding, other: PreflightFinding): number {
  return (
    severities.indexOf(one.severity) - severities.indexOf(other.severity) ||
    one.pid - other.pid ||
    (one.fd ?? -1) - (other.fd ?? -1)
  );
}
