import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from '../../errors.ts';
import type { Standing__Output } from '../../generated/types/node_criu/Standing.ts';
import { StoppedTree } from '../../postcopy/stopped-tree.ts';
import { tracerOf } from '../../procfs/tracer.ts';
import { namesOf } from '../protocol/identity.ts';
import { sendImages } from '../protocol/image-transfer.ts';
import { type DestinationState, sourceMove } from '../protocol/states.ts';
import { detailsOf, failure, OPERATION } from './failures.ts';
import type { Outgoing } from './outgoing.ts';

const RETRY_MS = 300;
/** How much longer than it may be silent a destination may take to let the copy run. */
const PATIENCE = 6;

/** The original is frozen and its images are complete: makes the copy, and lets it go. */
export async function handOver(
  outgoing: Outgoing,
  index: number,
  directory: string,
  lazy: boolean,
): Promise<void> {
  const { id, destination, signal, journal } = outgoing;
  const round = { id, index };
  await outgoing.begin('images');
  outgoing.imageBytes = await sendImages(destination, round, directory, signal);
  await outgoing.begin('prepare');
  await outgoing.ask('prepare', { ...round, lazy });
  await outgoing.begin('switch-over');
  // A host that has the address and no copy would reset its connections.
  await Promise.all([requirePrepared(outgoing), stopOriginal(outgoing)]);
  await outgoing.switchOver();
  // One that has gone meanwhile leaves nothing to decide.
  await requirePrepared(outgoing);
  await outgoing.begin('hand-over');
  outgoing.throwIfAborted();
  outgoing.handedOver = true;
  await journal?.write('handed-over', { tree: namesOf(outgoing.original?.pids ?? []) });
  const isEnough = (state: DestinationState) =>
    state === 'complete' || (lazy && state === 'resumed');
  outgoing.copy = await askUntil(outgoing, 'handOver', isEnough, PATIENCE * outgoing.stallMs);
  outgoing.endOfDowntime();
}

async function requirePrepared(outgoing: Outgoing): Promise<void> {
  const { state, message } = await outgoing.ask('ask', { id: outgoing.id }, outgoing.stallMs);
  if (state !== 'prepared') throw failure(`the copy is ${state}: ${message}`);
}

/** From now on it does not run, whatever happens to its criu; and it has not since it was dumped. */
async function stopOriginal(outgoing: Outgoing): Promise<void> {
  outgoing.throwIfAborted();
  outgoing.original = StoppedTree.stop(outgoing.pid, outgoing.stoppedBefore);
  for (const pid of outgoing.original.pids) {
    const tracer = await tracerOf(pid);
    if (tracer && !(tracer.by === 'tracer' && tracer.name === 'criu')) {
      throw failure(`process ${pid} of the original is not held by criu any more`);
    }
  }
}

/**
 * After the hand-over: asks the destination until it says what is enough. One that is slow but answers
 * is waited for; in all for so many milliseconds at most.
 */
export async function askUntil(
  { id, pid, destination, stallMs, journal }: Outgoing,
  method: 'handOver' | 'awaitPages',
  isEnough: (state: DestinationState) => boolean,
  mostMs = Infinity,
): Promise<Standing__Output> {
  const withinMs = Math.max(500, stallMs / 4);
  const start = performance.now();
  for (let heardAt = start; ; ) {
    // That may take long; whether anybody is there at all must not.
    const how = await destination
      .call(method, { id }, withinMs)
      .catch(() => destination.call('ask', { id }, withinMs))
      .catch((error: Error) => error);
    const now = performance.now();
    if (!(how instanceof Error)) {
      heardAt = now;
      const state = how.state as DestinationState;
      if (isEnough(state)) return how;
      if (sourceMove('handed-over', state) === 'resume') {
        await journal?.write('aborting');
        throw failure(`the destination has given it up: ${how.message || state}`);
      }
    }
    if (now - heardAt > stallMs || now - start > mostMs) {
      const cause = how instanceof Error ? how : new Error(`the copy is ${how.state}`);
      throw unresolved(id, pid, cause);
    }
    await sleep(RETRY_MS);
  }
}

/** The destination cannot be asked, and nobody else knows. */
export function unresolved(id: string, pid: number, cause: Error): CriuError {
  const message =
    `migration ${id}: the destination has not said whether its copy runs (${detailsOf(cause)}); ` +
    `the original is stopped until resolveMigration('${id}')`;
  const facts = { operation: OPERATION, pid, workload: 'stopped', cause } as const;
  return new CriuError('ERR_CRIU_MIGRATION_UNRESOLVED', message, facts);
}
