import { setTimeout as sleep } from 'node:timers/promises';
import { namesOf } from '../protocol/identity.ts';
import { sendImages } from '../protocol/image-transfer.ts';
import { PATIENCE } from '../protocol/stall-limit.ts';
import { type DestinationState, sourceMove } from '../protocol/states.ts';
import { beginPhase, type TransferContext } from './context.ts';
import { failure, unresolved } from './failures.ts';

const RETRY_MS = 300;
const MIN_TIMEOUT_MS = 500;

/** The dump that the copy is restored from. */
export interface FinishedDump {
  /** The index of its round. */
  readonly index: number;
  readonly directory: string;
  /** True if most of the memory follows after the copy runs. */
  readonly lazy: boolean;
}

/** A copy that runs at the destination. */
export interface Committed {
  /** True if the copy has all of its memory. */
  readonly isComplete: boolean;
  /** The pid of its root there. */
  readonly pid: number;
  /** How long no copy ran, in milliseconds. */
  readonly downtimeMs: number;
}

/**
 * Makes the destination restore the copy and let it run. Requires that the original is frozen and its
 * images are complete.
 * @throws CriuError ERR_CRIU_MIGRATION_UNRESOLVED if the destination does not confirm that the copy
 * runs, or does not
 */
export async function commit(context: TransferContext, dump: FinishedDump): Promise<Committed> {
  const { id, link, interruption, journal, progress, original, addresses } = context;
  const { index, directory, lazy } = dump;
  await beginPhase(context, 'images');
  progress.addBytes(await sendImages(link.client, { id, index }, directory, interruption.signal));
  await beginPhase(context, 'prepare');
  const { lazyRestore = true } = context.options;
  const { pid } = await link.call('prepare', { id, index, lazy, lazyRestore });
  if (pid === undefined) throw failure('the destination did not report the pid of the copy');
  await beginPhase(context, 'switch-over');
  interruption.throwIfAborted();
  // Checked before addresses move: a host that has the address but not the copy resets connections.
  await Promise.all([requirePrepared(context), original.stop()]);
  // Durable first, so that resolveMigration() knows what to undo.
  if (addresses.isNeeded) await journal.write('offered', { isSwitchedOver: true });
  await addresses.switchOver();
  await requirePrepared(context);
  await beginPhase(context, 'hand-over');
  interruption.commit();
  await journal.write('handed-over', { tree: namesOf(original.pids) });
  const state = await pollDestination(context, 'commit', {
    endsWait: (now) => now === 'complete' || now === 'resumed',
    timeoutMs: PATIENCE * context.stallMs,
  });
  return { pid, downtimeMs: context.dumpWatch.frozenForMs, isComplete: state === 'complete' };
}

/** Waits until the copy has all of its memory. */
export async function awaitPages(context: TransferContext): Promise<void> {
  await pollDestination(context, 'awaitPages', { endsWait: (state) => state === 'complete' });
}

async function requirePrepared({ id, link, stallMs }: TransferContext): Promise<void> {
  const { state, message } = await link.call('getStatus', { id }, stallMs);
  if (state !== 'prepared') {
    throw failure(`the copy is ${state}${message === undefined ? '' : `: ${message}`}`);
  }
}

/**
 * After the commit, repeats a call until the destination is in a state that ends the wait. Waits for a
 * slow destination as long as it answers.
 * @returns that state
 */
async function pollDestination(
  { id, pid, link, stallMs, journal }: TransferContext,
  call: 'commit' | 'awaitPages',
  {
    endsWait,
    timeoutMs = Infinity,
  }: {
    readonly endsWait: (state: DestinationState) => boolean;
    readonly timeoutMs?: number;
  },
): Promise<DestinationState> {
  const limits = { timeoutMs: Math.max(MIN_TIMEOUT_MS, stallMs / 4) };
  const start = performance.now();
  for (let heardAt = start; ; ) {
    // The call itself may take long: getStatus tells a slow destination from a silent one.
    const answer = await link.client
      .call(call, { id }, limits)
      .catch(() => link.client.call('getStatus', { id }, limits))
      .catch((error: Error) => error);
    const now = performance.now();
    if (!(answer instanceof Error)) {
      heardAt = now;
      const { state, message } = answer;
      if (endsWait(state)) return state;
      const move = sourceMove('handed-over', state);
      if (move === 'ask-operator') throw unresolved(id, pid, new Error(message ?? state));
      if (move === 'resume') {
        await journal.write('aborting');
        throw failure(`the destination gave up: ${message ?? state}`);
      }
    }
    if (now - heardAt > stallMs || now - start > timeoutMs) {
      const cause = answer instanceof Error ? answer : new Error(`the copy is ${answer.state}`);
      throw unresolved(id, pid, cause);
    }
    await sleep(RETRY_MS);
  }
}
